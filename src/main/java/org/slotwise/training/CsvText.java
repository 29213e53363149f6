package org.slotwise.training;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** Lines of RFC 4180: cells with commas between them, in quotes where they need them. */
final class CsvText {

    static final String END = "\r\n";

    private CsvText() {}

    static String line(List<String> cells) {
        return cells.stream().map(CsvText::quoted).collect(Collectors.joining(",")) + END;
    }

    private static String quoted(String cell) {
        boolean plain = cell.chars().noneMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return plain ? cell : '"' + cell.replace("\"", "\"\"") + '"';
    }

    /**
     * Reads lines, with other systems' line ends too. A last one that does not end is left out: it
     * was cut off.
     */
    static List<List<String>> lines(String text) {
        List<List<String>> lines = new ArrayList<>();
        List<String> cells = new ArrayList<>();
        StringBuilder cell = new StringBuilder();
        boolean inQuotes = false;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"') {
                boolean escaped = inQuotes && text.startsWith("\"\"", i);
                if (escaped) {
                    cell.append(c);
                    i++;
                } else {
                    inQuotes = !inQuotes;
                }
            } else if (inQuotes || (c != ',' && c != '\n')) {
                cell.append(c);
            } else {
                int last = cell.length() - 1;
                if (c == '\n' && last >= 0 && cell.charAt(last) == '\r') {
                    cell.setLength(last);
                }
                cells.add(cell.toString());
                cell.setLength(0);
                if (c == '\n') {
                    lines.add(cells);
                    cells = new ArrayList<>();
                }
            }
        }
        return lines;
    }
}
