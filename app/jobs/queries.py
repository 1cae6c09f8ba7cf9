"""What the queue can be asked."""

from pgqueuer.ports.driver import Driver
from pgqueuer.types import JobId

# PgQueuer's own counter knows only tries that ended. One that killed its worker counts too, so this reads the log of
# when the job was taken; what happened before a person put a held job back into the queue is forgiven.
ATTEMPTS = """
SELECT count(*) AS attempts
FROM pgqueuer_log
WHERE job_id = $1 AND status = 'picked'
  AND id > coalesce((SELECT max(id) FROM pgqueuer_log WHERE job_id = $1 AND status = 'failed'), 0)
"""


async def count_attempts(driver: Driver, job_id: JobId) -> int:
    """How often the job has been begun, the present time included."""
    rows = await driver.fetch(ATTEMPTS, job_id)
    return int(str(rows[0]["attempts"]))
