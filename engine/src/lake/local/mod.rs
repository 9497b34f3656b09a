//! A folder of Parquet, CSV and JSON files as a lake, queried by DataFusion.
