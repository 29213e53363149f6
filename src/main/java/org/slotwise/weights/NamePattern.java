package org.slotwise.weights;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A name in which each * stands for any characters, dots too. */
final class NamePattern {

    private final String text;
    private final String[] fixed;

    NamePattern(String text) {
        this.text = text;
        fixed = text.split("\\*", -1);
    }

    int stars() {
        return fixed.length - 1;
    }

    /**
     * What the stars of a name stand for, or null if it does not match. The first star takes as
     * much as it can, then the second: each fixed part is found as far right as those after it
     * leave room, in one pass over the name.
     */
    @Nullable List<String> match(String name) {
        int last = fixed.length - 1;
        if (last == 0) {
            return name.equals(text) ? List.of() : null;
        }
        int from = fixed[0].length();
        int end = name.length() - fixed[last].length();
        if (end < from || !name.startsWith(fixed[0]) || !name.endsWith(fixed[last])) {
            return null;
        }
        Deque<String> parts = new ArrayDeque<>();
        for (int i = last - 1; i > 0; i--) {
            int at = name.lastIndexOf(fixed[i], end - fixed[i].length());
            if (at < from) {
                return null;
            }
            parts.push(name.substring(at + fixed[i].length(), end));
            end = at;
        }
        parts.push(name.substring(from, end));
        return List.copyOf(parts);
    }

    /** The name with these in place of the stars. */
    String fill(List<String> parts) {
        StringBuilder name = new StringBuilder(fixed[0]);
        for (int i = 0; i < parts.size(); i++) {
            name.append(parts.get(i)).append(fixed[i + 1]);
        }
        return name.toString();
    }

    @Override
    public String toString() {
        return text;
    }
}
