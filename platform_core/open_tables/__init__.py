"""Production's tables as Iceberg tables on the files as they are, for engines that know nothing of the platform."""
