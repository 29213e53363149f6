package org.slotwise.data.file;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.SceneFileException;

/**
 * The rows of a Parquet file, in pages of a bounded number of bytes.
 *
 * <p>DuckDB hands 2,048 rows at a time to Java, whatever they weigh, and takes the process down
 * where they do not fit into Java's memory. So the lengths of many rows are asked for first, and
 * then as many rows as may be there at once.
 */
final class ParquetRows implements Closeable {

    /** How many bytes a page has, if it has more than a row. */
    private static final long PAGE = 1 << 25;

    private static final int BLOCK = 1 << 16;

    private final Path path;
    private final List<String> columns;
    private final List<String> values = new ArrayList<>();
    private final long mostBytes;
    private final ParquetFile file;

    /** How the pictures' paths are asked for; null if there are none. */
    private final @Nullable String name;

    private final long rows;

    /** The bytes of each row from {@link #nextRow} on. */
    private final Deque<Long> lengths = new ArrayDeque<>();

    private final Deque<byte[][]> page = new ArrayDeque<>();
    private final Deque<String> names = new ArrayDeque<>();
    private @Nullable String last;
    private long measured;
    private long nextRow;
    private long given;

    /**
     * Opens a file.
     *
     * @param columns which columns are read
     * @param mostBytes how many bytes a value may have
     */
    ParquetRows(Path path, List<String> columns, long mostBytes) throws IOException {
        this.path = path;
        this.columns = columns;
        this.mostBytes = mostBytes;
        file = new ParquetFile(path);
        try {
            rows = file.rows();
            Map<String, String> types = file.types();
            for (String column : columns) {
                values.add(value(column, types));
            }
            name = file.path(columns.get(0), String.valueOf(types.get(columns.get(0))));
        } catch (IOException | RuntimeException e) {
            file.close();
            throw e;
        }
    }

    private String value(String column, Map<String, String> types) throws IOException {
        String type = types.get(column);
        if (type == null) {
            throw new SceneFileException(path, "no column '" + column + "', only " + types, null);
        }
        String bytes = file.bytes(column, type);
        if (bytes == null) {
            throw new SceneFileException(
                    path,
                    "column '" + column + "' must be BLOB or STRUCT(bytes BLOB, ...), got " + type,
                    null);
        }
        return bytes;
    }

    /** The values of the next row, one for each column; null at the end. */
    byte @Nullable [][] next() throws IOException {
        if (page.isEmpty() && nextRow < rows) {
            fetch();
        }
        if (page.isEmpty()) {
            return null;
        }
        given++;
        last = name == null ? null : names.remove();
        return page.remove();
    }

    /** Where a value of the row lies that {@link #next} gave last. */
    Place place(int column) {
        return new Place(path, given - 1, "column '" + columns.get(column) + "'");
    }

    /** The path beside the picture that {@link #next} gave last; null if there is none. */
    @Nullable String name() {
        return last == null || last.isEmpty() ? null : last;
    }

    private void fetch() throws IOException {
        if (lengths.isEmpty()) {
            measure();
        }
        long start = nextRow;
        long bytes = 0;
        while (!lengths.isEmpty() && (nextRow == start || bytes + lengths.element() <= PAGE)) {
            bytes += lengths.remove();
            nextRow++;
        }
        try {
            file.ask(
                    "file_row_number, "
                            + String.join(", ", values)
                            + (name == null ? "" : ", " + name),
                    between(start, nextRow),
                    answer -> {
                        for (long row = start; answer.next(); row++) {
                            if (answer.getLong(1) != row) {
                                throw changed(row);
                            }
                            byte[][] read = new byte[values.size()][];
                            for (int i = 0; i < read.length; i++) {
                                read[i] = present(answer.getBytes(i + 2), row, i);
                            }
                            page.add(read);
                            if (name != null) {
                                names.add(answer.getString(values.size() + 2));
                            }
                        }
                        return page;
                    });
        } catch (SQLException e) {
            throw unreadable(start, e);
        }
        if (page.size() != nextRow - start) {
            throw changed(start + page.size());
        }
    }

    private byte[] present(byte @Nullable [] value, long row, int column)
            throws SceneFileException {
        if (value == null) {
            String what = "column '" + columns.get(column) + "': there is nothing in it";
            throw new SceneFileException(path, row, what);
        }
        return value;
    }

    /** Asks how long the values of many rows are. */
    private void measure() throws IOException {
        long start = measured;
        measured = Math.min(rows, start + BLOCK);
        List<String> sizes =
                values.stream().map(v -> "coalesce(octet_length(" + v + "), 0)").toList();
        try {
            file.ask(
                    String.join(", ", sizes),
                    between(start, measured),
                    answer -> {
                        for (long row = start; answer.next(); row++) {
                            long sum = 0;
                            for (int i = 0; i < sizes.size(); i++) {
                                sum += checked(answer.getLong(i + 1), row, i);
                            }
                            lengths.add(sum);
                        }
                        return lengths;
                    });
        } catch (SQLException e) {
            throw unreadable(start, e);
        }
        if (lengths.size() != measured - start) {
            throw changed(start + lengths.size());
        }
    }

    private long checked(long length, long row, int column) throws SceneFileException {
        if (length > mostBytes) {
            throw new SceneFileException(
                    path,
                    row,
                    "column '"
                            + columns.get(column)
                            + ("': it has " + length + " bytes, more than " + mostBytes));
        }
        return length;
    }

    private static String between(long from, long to) {
        return "file_row_number >= " + from + " AND file_row_number < " + to;
    }

    private SceneFileException unreadable(long row, SQLException e) {
        return SceneFileException.inRecord(
                path,
                row,
                "this one or one after it is damaged or cut short: " + ParquetFile.reason(e),
                e);
    }

    private SceneFileException changed(long row) {
        return new SceneFileException(path, row, "the file changed while it was read");
    }

    @Override
    public void close() throws IOException {
        page.clear();
        file.close();
    }
}
