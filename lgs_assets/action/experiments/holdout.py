"""Who is held out by a running experiment: of every plan, and of every other experiment."""

from psycopg import sql

EVERYTHING = "everything"
"""The arm of a global holdout that is not left alone: its customers may be in other experiments as well."""
IN_CONTROL = """
case when exists (
    select
    from lgs.assignments
    inner join lgs.experiments on experiments.experiment = assignments.experiment
    where assignments.customer_id = {customer}
        and assignments.arm = 'control'
        and experiments.stopped_at is null
) then 'control group' end
"""
"""Why a customer may not be sent as a member of any audience: a running experiment compares others with them. One
audience may hold the members of another, so leaving them out of its own alone would not leave them alone."""


def busy_elsewhere(name: str, customer: sql.Composable) -> sql.Composed:
    """A condition on a customer: another running experiment has assigned them an arm that must stay as it is."""
    return sql.SQL(
        """exists (
            select
            from assignments
            inner join experiments on experiments.experiment = assignments.experiment
            where assignments.customer_id = {customer}
                and assignments.experiment <> {name}
                and assignments.arm <> {everything}
                and experiments.stopped_at is null
        )"""
    ).format(name=sql.Literal(name), everything=sql.Literal(EVERYTHING), customer=customer)
