"""AWS Batch: every step a job, the partitions of a step one array job."""
