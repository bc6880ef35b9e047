"""The test blocks of rule files, run."""
