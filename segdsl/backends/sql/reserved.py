"""Words that some database reserves: names that are one of them are quoted everywhere."""

from __future__ import annotations

from sqlglot.dialects.duckdb import DuckDB

# What DuckDB's tokenizer has no word for, because it holds them in longer phrases, and what the others reserve, by
# their documentation: BigQuery, Databricks, MySQL, PostgreSQL, Redshift, Snowflake and Trino.
_WORDS = """
    accessible account add aes128 aes256 allowoverwrite analyse asensitive assert_rows_modified asymmetric at
    authorization auto az64 backup before blanksasnull both by bytedict bzip2 cascade cast change check coalesce
    collation columns concurrently condition connection contains continue convert credentials cume_dist current
    current_path current_role current_user_id cursor databases day_hour day_microsecond day_minute day_second
    deallocate declare deferrable define deflate defrag delayed delta delta32k dense_rank deterministic disable
    distinctrow do dual each elseif empty emptyasnull enable enclosed encode encrypt encryption escaped exclude exit
    explicit extract first_value following foreign freeze fulltext generated get globaldict256 globaldict64k group
    grouping grouping_id groups gscluster gzip hash high_priority hour_microsecond hour_minute hour_second identity
    if ignore increment infile initially inout insensitive int3 io_after_gtids io_before_gtids issue iterate
    json_array json_exists json_object json_query json_table json_value key keys lag lambda last_value lead leading
    leave library linear lines listagg lookup loop low_priority lun luns lzo lzop manual master_bind
    master_ssl_verify_server_cert match maxvalue middleint minus minute_microsecond minute_second mod modifies
    mostly16 mostly32 mostly8 national new no no_write_to_binlog none normalize nth_value ntile nullif nulls of off
    offline oid old open optimizer_costs option optionally order organization outfile overlay parallel percent_rank
    permissions pivot_longer placing position preceding precision primary proto purge rank raw read read_write
    readratio reads recover rejectlog release repeat require resignal resort respect restore restrict return
    row_number sample schemas second_microsecond sensitive separator setof signal similar skip snapshot spatial
    specific sql sql_big_result sql_calc_found_rows sql_small_result sqlexception sqlstate sqlwarning ssl start
    starting stored substring symmetric sysdate system system_user tag tdes terminated text255 text32k to top
    trailing treat trim truncatecolumns try_cast tuple uescape unbounded undo unlock unpack unsigned usage user
    utc_date utc_time utc_timestamp varcharacter variadic varying verbose virtual wallet whenever while within
    without write xmlattributes xmlconcat xmlelement xmlexists xmlforest xmlnamespaces xmlparse xmlpi xmlroot
    xmlserialize xmltable year_month zerofill
"""
RESERVED = DuckDB.Tokenizer.KEYWORDS.keys() | {word.upper() for word in _WORDS.split()}
