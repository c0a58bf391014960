-- Into which table fixes received from one time to another are to be copied, until the transaction ends.
SELECT fixes_table(%s, %s)
