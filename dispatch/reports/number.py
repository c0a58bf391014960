"""Numbers of reports: 昌运监日报〔2026〕1127号, and how those of counties, companies and corrections differ from it."""

from datetime import date

OF_AREA, OF_COMPANY = "昌运监日报", "昌运监企日报"


def number(day: date, county: str, company: str, edition: int) -> str:
    """Number of an edition of a party's report: the same whenever it is worked out, and no other's.

    A company's code that begins with its county's says both; a dot parts the two where it does not.
    """
    if company and county and company.startswith(f"{county}-"):
        whose = company.replace("·", "··")
    else:
        whose = "·".join(code.replace("·", "··") for code in (county, company)[: 2 if company else 1])
    series = OF_COMPANY if company else OF_AREA
    correction = f"（更正{edition - 1}）" if edition > 1 else ""
    return f"{series}{whose and f'（{whose}）'}〔{day.year}〕{day:%m%d}号{correction}"
