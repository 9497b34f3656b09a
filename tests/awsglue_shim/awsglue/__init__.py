"""A stand-in for AWS Glue's Python library, for tests on a plain Spark.

Glue's own library needs a Java library that exists only inside Glue. This package has the same names over DataFrames,
as far as the demo's scripts and the documentation of Glue 5.0 use them; what it does not know raises an error.
The catalog and the objects of S3 are local folders (see `awsglue.catalog`).
"""

from awsglue.dynamicframe import DynamicFrame

__all__ = ["DynamicFrame"]
