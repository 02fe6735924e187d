"""When something happens, as schedules of jobs and of compute instances say it: cron and recurrence, by time zone."""
