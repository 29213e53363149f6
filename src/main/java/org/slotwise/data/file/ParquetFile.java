package org.slotwise.data.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import org.duckdb.DuckDBDriver;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/** A Parquet file that is asked questions, through DuckDB in memory. */
final class ParquetFile implements Closeable {

    private static final Map<String, String> SETTINGS =
            Map.of(
                    // Rows come as they are asked for, not all at once.
                    "jdbc_stream_results", "true",
                    // One row group at a time is in memory.
                    "threads", "1",
                    "temp_directory", "",
                    // Nothing is fetched.
                    "autoinstall_known_extensions", "false",
                    "autoload_known_extensions", "false");

    private final Path path;
    private final String table;
    private final Connection connection;

    /** Opens a file. */
    ParquetFile(Path path) throws IOException {
        InputFile.require(path);
        this.path = path;
        // What stands for other names, where it is a name itself.
        String name = path.toString().replaceAll("([\\[*?])", "[$1]").replace("'", "''");
        table = "read_parquet('" + name + "', file_row_number = true)";
        Properties settings = new Properties();
        settings.putAll(SETTINGS);
        try {
            Connection made = new DuckDBDriver().connect("jdbc:duckdb:", settings);
            if (made == null) {
                throw new SQLException("the driver gave no connection");
            }
            connection = made;
        } catch (SQLException e) {
            throw new SceneFileException(path, "DuckDB cannot be started: " + reason(e), e);
        }
    }

    /** What is made of an answer. */
    interface Answer<T> {
        T of(ResultSet rows) throws SQLException, IOException;
    }

    /**
     * Asks for expressions of rows.
     *
     * @param select what is asked for
     * @param where which rows, such as "true"
     * @throws SQLException if the file cannot be read
     */
    <T> T ask(String select, String where, Answer<T> answer) throws SQLException, IOException {
        return execute("SELECT " + select + " FROM " + table + " WHERE " + where, answer);
    }

    private <T> T execute(String sql, Answer<T> answer) throws SQLException, IOException {
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            return answer.of(rows);
        }
    }

    /** How many rows there are. */
    long rows() throws IOException {
        try {
            return ask(
                    "count(*)",
                    "true",
                    rows -> {
                        rows.next();
                        return rows.getLong(1);
                    });
        } catch (SQLException e) {
            throw new SceneFileException(
                    path, "no Parquet file, or damaged or cut short: " + reason(e), e);
        }
    }

    /** The types of the columns, by their names. */
    Map<String, String> types() throws IOException {
        try {
            Map<String, String> types = new LinkedHashMap<>(described("*"));
            types.remove("file_row_number");
            return types;
        } catch (SQLException e) {
            throw new SceneFileException(path, "damaged or cut short: " + reason(e), e);
        }
    }

    private Map<String, String> described(String select) throws SQLException, IOException {
        return execute(
                "DESCRIBE SELECT " + select + " FROM " + table,
                rows -> {
                    Map<String, String> types = new LinkedHashMap<>();
                    while (rows.next()) {
                        types.put(rows.getString(1), rows.getString(2));
                    }
                    return types;
                });
    }

    /** How the bytes of a column are asked for; null if it has none. */
    @Nullable String bytes(String column, String type) throws IOException {
        String value = '"' + column.replace("\"", "\"\"") + '"';
        if (!type.startsWith("STRUCT(")) {
            return "BLOB".equals(type) ? value : null;
        }
        String field = "struct_extract(" + value + ", 'bytes')";
        try {
            return described(field + " AS field").containsValue("BLOB") ? field : null;
        } catch (SQLException e) { // no such field
            return null;
        }
    }

    /** How the path beside the bytes of a column is asked for; null if it has none. */
    @Nullable String path(String column, String type) throws IOException {
        if (!type.startsWith("STRUCT(")) {
            return null;
        }
        String field = "struct_extract(\"" + column.replace("\"", "\"\"") + "\", 'path')";
        try {
            boolean text = described(field + " AS field").containsValue("VARCHAR");
            // Longer than a path may be is none.
            String some = "CASE WHEN octet_length(encode(" + field + ")) <= 4096 THEN " + field;
            return text ? "coalesce(" + some + " END, '')" : null;
        } catch (SQLException e) { // no such field
            return null;
        }
    }

    /** What DuckDB says, in one line. */
    static String reason(SQLException e) {
        String message = String.valueOf(e.getMessage());
        int end = message.indexOf('\n');
        return end < 0 ? message : message.substring(0, end);
    }

    @Override
    public void close() throws IOException {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new SceneFileException(path, "cannot be closed: " + reason(e), e);
        }
    }
}
