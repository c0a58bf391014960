"""Daily reports: facts of a day, put on paper, in four formats with the same numbers."""
