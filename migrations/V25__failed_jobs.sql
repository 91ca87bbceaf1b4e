-- Whether a job's last run failed, beside what it said; the text is for people alone.
ALTER TABLE job_run ADD COLUMN has_failed INTEGER NOT NULL DEFAULT 0 CHECK (has_failed IN (0, 1));
UPDATE job_run SET has_failed = 1 WHERE outcome LIKE 'failed%';
