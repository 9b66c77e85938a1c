-- Trino's functions as DuckDB macros, one a line. What error() says is Athena's message.
t_invalid(m) AS error('athena: INVALID_FUNCTION_ARGUMENT: ' || m)
t_refuse(m) AS error('athena: NOT_SUPPORTED: ' || m || ' is not supported by the local Athena')
t_no_cast(x, kind) AS error('athena: INVALID_CAST_ARGUMENT: Cannot cast ''' || x || ''' to ' || kind)
t_ascii(x) AS CASE WHEN NOT regexp_full_match(x, '[\x00-\x7F]*') THEN t_refuse('this function over text that is not ASCII (' || x || ')') ELSE x END
t_one_line(x) AS CASE WHEN contains(x, chr(10)) OR contains(x, chr(13)) THEN t_refuse('a regular expression over text of several lines') ELSE x END
t_same(x) AS x
t_text(x) AS CAST(x AS VARCHAR)
t_lower(x) AS lower(t_ascii(x))
t_upper(x) AS upper(t_ascii(x))
t_white() AS chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(28) || chr(29) || chr(30) || chr(31) || ' '
t_trim(x) AS trim(t_ascii(x), t_white())
t_ltrim(x) AS ltrim(t_ascii(x), t_white())
t_rtrim(x) AS rtrim(t_ascii(x), t_white())
t_concat(x, y) AS x || y
t_replace(x, old, new := '') AS CASE WHEN old = '' THEN t_refuse('replace of nothing') ELSE replace(x, old, new) END
t_substr(x, start, size := 2147483647) AS CASE WHEN start = 0 OR size <= 0 OR -start > length(x) THEN '' ELSE substr(x, start, size) END
t_split(x, y) AS CASE WHEN y = '' THEN t_invalid('The delimiter may not be the empty string') ELSE string_split(x, y) END
t_split_part(x, y, i) AS CASE WHEN i <= 0 THEN t_invalid('Index must be greater than zero') ELSE list_extract(t_split(x, y), i) END
t_from_utf8(x) AS decode(x)
t_from_base64(x) AS CASE WHEN NOT regexp_full_match(x, '([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?') THEN t_refuse('from_base64 of text that is not padded base64') ELSE from_base64(x) END
t_from_hex(x) AS CASE WHEN NOT regexp_full_match(x, '([0-9A-Fa-f]{2})*') THEN t_invalid('not hexadecimal: ' || x) ELSE unhex(x) END
t_sha256(x) AS unhex(sha256(x))
t_regexp_like(x, p) AS regexp_matches(t_one_line(CASE WHEN regexp_matches(p, '\\[dsw]') THEN t_ascii(x) ELSE x END), p)
t_regexp_extract(x, p, g := 0) AS CASE WHEN t_regexp_like(x, p) THEN regexp_extract(x, p, CAST(g AS INTEGER)) END
t_regexp_replace(x, p, new := '') AS CASE WHEN contains(new, '$') OR contains(new, chr(92)) THEN t_refuse('a replacement with $ or a backslash') WHEN t_regexp_like(x, p) THEN regexp_replace(x, p, new, 'g') ELSE x END
t_document(x) AS CASE WHEN json_valid(x) THEN x WHEN regexp_matches(x, '^\s*[\[{]') THEN t_refuse('looking into a damaged JSON document') END
t_kind(x, p) AS json_type(t_document(x), p)
t_json_extract_scalar(x, p) AS CASE WHEN t_kind(x, p) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL WHEN t_kind(x, p) = 'DOUBLE' THEN t_refuse('the text of a JSON fraction') ELSE json_extract_string(t_document(x), p) END
t_exact(x) AS CASE WHEN regexp_matches(x, '[0-9][.eE]') THEN t_refuse('JSON text that may hold a fraction') ELSE x END
t_json_extract(x, p) AS t_exact(CAST(json_extract(t_document(x), p) AS VARCHAR))
t_valid(x) AS CASE WHEN json_valid(x) THEN x END
t_json_parse(x) AS CASE WHEN NOT json_valid(x) THEN t_invalid('Cannot convert value to JSON: ''' || x || '''') WHEN contains(x, '{') AND (length(x) - length(replace(x, '{', '')) > 1 OR json_type(t_valid(x)) <> 'OBJECT' OR list_sort(json_keys(t_valid(x))) <> json_keys(t_valid(x))) THEN t_refuse('json_parse of objects whose keys may not be sorted') ELSE t_exact(CAST(json(t_valid(x)) AS VARCHAR)) END
t_json_array_length(x) AS CASE WHEN t_kind(x, '$') = 'ARRAY' THEN CAST(json_array_length(x) AS BIGINT) END
t_bad_json(x, kind) AS error('athena: INVALID_CAST_ARGUMENT: Cannot cast to ' || kind || '. Value: ' || x)
t_json_text(x) AS CASE WHEN json_type(x) IN ('OBJECT', 'ARRAY') THEN t_bad_json(x, 'varchar') ELSE json_extract_string(x, '$') END
t_json_bigint(x) AS CASE WHEN json_type(x) IN ('BIGINT', 'UBIGINT', 'NULL') THEN CAST(json_extract_string(x, '$') AS BIGINT) WHEN json_type(x) = 'DOUBLE' THEN t_refuse('a cast of a JSON fraction') ELSE t_bad_json(x, 'bigint') END
t_json_boolean(x) AS CASE WHEN json_type(x) IN ('BOOLEAN', 'NULL') THEN CAST(json_extract_string(x, '$') AS BOOLEAN) ELSE t_bad_json(x, 'boolean') END
t_json_texts(x) AS CASE WHEN json_type(x) IN ('ARRAY', 'NULL') AND NOT list_has_any(['ARRAY', 'OBJECT', 'DOUBLE'], json_type(x, '$[*]')) THEN CAST(CAST(x AS JSON) AS VARCHAR[]) ELSE t_bad_json(x, 'array(varchar)') END
t_bigint(x) AS CASE WHEN regexp_full_match(x, '[+-]?[0-9]{1,18}') THEN CAST(x AS BIGINT) WHEN x IS NOT NULL THEN t_no_cast(x, 'BIGINT') END
t_integer(x) AS CASE WHEN t_bigint(x) BETWEEN -2147483648 AND 2147483647 THEN CAST(t_bigint(x) AS INTEGER) WHEN x IS NOT NULL THEN t_no_cast(x, 'INTEGER') END
t_double(x) AS CASE WHEN regexp_full_match(x, '[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?') THEN CAST(x AS DOUBLE) WHEN regexp_matches(x, '[0-9NI]') THEN t_refuse('a cast of ''' || x || ''' to double') WHEN x IS NOT NULL THEN t_no_cast(x, 'DOUBLE') END
t_boolean(x) AS CASE WHEN lower(x) IN ('t', 'true', '1') THEN TRUE WHEN lower(x) IN ('f', 'false', '0') THEN FALSE WHEN x IS NOT NULL THEN t_no_cast(x, 'BOOLEAN') END
t_bad_time(x, kind) AS CASE WHEN regexp_matches(x, '^\s*[+-]?[0-9]+-') THEN t_refuse('the time ''' || x || ''', as it is written,') ELSE error('athena: INVALID_CAST_ARGUMENT: Value cannot be cast to ' || kind || ': ' || x) END
t_date(x) AS CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST(x AS DATE) WHEN x IS NOT NULL THEN t_bad_time(x, 'date') END
t_millis(x) AS make_timestamp(CAST(floor((epoch_us(x) + 500) / 1000) AS BIGINT) * 1000)
t_instant(x, kind) AS CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?)?') THEN t_millis(CAST(x AS TIMESTAMP)) WHEN x IS NOT NULL THEN t_bad_time(x, kind) END
t_timestamp(x) AS t_instant(x, 'timestamp')
t_zoned(x) AS CAST(t_instant(regexp_replace(x, ' UTC$', ''), 'timestamp with time zone') AS TIMESTAMPTZ)
t_timestamp_text(x) AS strftime(x, '%Y-%m-%d %H:%M:%S.%g')
t_zoned_text(x) AS t_timestamp_text(x) || ' UTC'
t_bad_format(x) AS CASE WHEN regexp_matches(x, '^\s*[+-]?[0-9]') THEN t_refuse('the time ''' || x || ''', as it is written,') ELSE t_invalid('Invalid format: "' || x || '"') END
t_iso_date(x) AS CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN CAST(x AS DATE) WHEN x IS NOT NULL THEN t_bad_format(x) END
t_iso_instant(x) AS CAST(CASE WHEN regexp_full_match(x, '[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,3})?)?(Z|[+]00:00)?)?') THEN CAST(regexp_replace(x, '(Z|[+]00:00)$', '') AS TIMESTAMP) WHEN x IS NOT NULL THEN t_bad_format(x) END AS TIMESTAMPTZ)
t_date_format(x, f) AS strftime(date_trunc('millisecond', x), f)
t_parsed(x, f) AS CASE WHEN strftime(try_strptime(x, f), f) = x THEN date_trunc('millisecond', try_strptime(x, f)) WHEN x IS NOT NULL THEN t_bad_format(x) END
t_date_parse(x, f) AS t_parsed(x, f)
t_from_unixtime(x) AS CAST(make_timestamp(CAST(floor(x * 1000 + 0.5) AS BIGINT) * 1000) AS TIMESTAMPTZ)
t_moved(x, micros) AS x + to_microseconds(CAST(micros AS BIGINT))
t_add_millisecond(n, x) AS t_moved(x, n * 1000)
t_add_second(n, x) AS t_moved(x, n * 1000000)
t_add_minute(n, x) AS t_moved(x, n * 60000000)
t_add_hour(n, x) AS t_moved(x, n * 3600000000)
t_add_day(n, x) AS t_moved(x, n * 86400000000)
t_add_week(n, x) AS t_moved(x, n * 604800000000)
t_add_month(n, x) AS x + to_months(CAST(n AS INTEGER))
t_add_quarter(n, x) AS t_add_month(n * 3, x)
t_add_year(n, x) AS t_add_month(n * 12, x)
t_elapsed(a, b) AS CAST(floor(epoch_us(b) / 1000) AS BIGINT) - CAST(floor(epoch_us(a) / 1000) AS BIGINT)
t_diff_millisecond(a, b) AS t_elapsed(a, b)
t_diff_second(a, b) AS t_elapsed(a, b) // 1000
t_diff_minute(a, b) AS t_elapsed(a, b) // 60000
t_diff_hour(a, b) AS t_elapsed(a, b) // 3600000
t_diff_day(a, b) AS t_elapsed(a, b) // 86400000
t_diff_week(a, b) AS t_elapsed(a, b) // 604800000
t_calendar(a, b) AS (year(b) - year(a)) * 12 + month(b) - month(a)
t_complete(a, b) AS CASE WHEN a + to_months(CAST(t_calendar(a, b) AS INTEGER)) <= b THEN t_calendar(a, b) ELSE t_calendar(a, b) - 1 END
t_diff_month(a, b) AS CASE WHEN a <= b THEN t_complete(a, b) ELSE -t_complete(b, a) END
t_diff_quarter(a, b) AS t_diff_month(a, b) // 3
t_diff_year(a, b) AS t_diff_month(a, b) // 12
t_trunc_second(x) AS date_trunc('second', x)
t_trunc_minute(x) AS date_trunc('minute', x)
t_trunc_hour(x) AS date_trunc('hour', x)
t_trunc_day(x) AS date_trunc('day', x)
t_trunc_week(x) AS date_trunc('week', x)
t_trunc_month(x) AS date_trunc('month', x)
t_trunc_quarter(x) AS date_trunc('quarter', x)
t_trunc_year(x) AS date_trunc('year', x)
t_greatest(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL ELSE greatest(x, y) END
t_least(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL ELSE least(x, y) END
t_element(x, i) AS CASE WHEN i = 0 THEN t_invalid('SQL array indices start at 1') ELSE list_extract(x, i) END
t_subscript(x, i) AS CASE WHEN i = 0 THEN t_invalid('SQL array indices start at 1') WHEN i < 0 THEN t_invalid('Array subscript is negative: ' || i) WHEN i > len(x) THEN t_invalid('Array subscript must be less than or equal to array length: ' || i || ' > ' || len(x)) ELSE list_extract(x, i) END
t_member(x, k) AS list_extract(map_extract(x, k), 1)
t_key(x, k) AS CASE WHEN NOT map_contains(x, k) THEN t_invalid('Key not present in map: ' || k) ELSE t_member(x, k) END
t_contains(x, y) AS CASE WHEN x IS NULL OR y IS NULL THEN NULL WHEN list_contains(x, y) THEN TRUE WHEN len(x) > list_count(x) THEN NULL ELSE FALSE END
t_sequence(a, b) AS CASE WHEN abs(b - a) >= 10000 THEN t_invalid('result of sequence function must not have more than 10000 entries') WHEN a <= b THEN range(a, b + 1) ELSE range(a, b - 1, -1) END
t_modulus(x, y) AS CASE WHEN y = 0 THEN error('athena: DIVISION_BY_ZERO: Division by zero') ELSE x % y END
