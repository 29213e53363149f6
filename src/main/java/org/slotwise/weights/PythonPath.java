package org.slotwise.weights;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Where a value is in what {@code torch.load} gives, as Python writes it: {@code ["a"][0].b}. */
final class PythonPath {

    /** The outermost value. */
    static final PythonPath ROOT = new PythonPath(null, "", false);

    private static final int LONGEST = 100;

    private final @Nullable PythonPath parent;
    private final Object step;
    private final boolean attribute;

    private PythonPath(@Nullable PythonPath parent, Object step, boolean attribute) {
        this.parent = parent;
        this.step = step;
        this.attribute = attribute;
    }

    /** The value of a key of a dict, or at an index of a list. */
    PythonPath item(Object key) {
        return new PythonPath(this, key, false);
    }

    /** The value of an attribute. */
    PythonPath attribute(String name) {
        return new PythonPath(this, name, true);
    }

    /** An expression for the value, or null if that would be too long to be read. */
    @Nullable String of(String root) {
        Deque<PythonPath> steps = new ArrayDeque<>();
        for (PythonPath at = this; at.parent != null; at = at.parent) {
            if (steps.size() >= LONGEST || isLong(at.step)) {
                return null;
            }
            steps.push(at);
        }
        String text = root;
        for (PythonPath at : steps) {
            if (!at.attribute) {
                text = text + "[" + literal(at.step) + "]";
            } else if (at.step.toString().matches("[A-Za-z_][A-Za-z_0-9]*")) {
                text = text + "." + at.step;
            } else {
                text = "vars(" + text + ")[" + literal(at.step) + "]";
            }
        }
        return text;
    }

    /** A key as Python writes it; of what is no text, number or tuple of them its kind alone. */
    static String literal(Object key) {
        if (key instanceof List<?> tuple) {
            String elements =
                    tuple.stream()
                            .limit(LONGEST)
                            .map(e -> e instanceof List<?> ? "(...)" : literal(e))
                            .collect(Collectors.joining(", "));
            return "(" + elements + (tuple.size() == 1 ? ",)" : ")");
        }
        if (key instanceof String text) {
            return quoted(text);
        }
        if (key instanceof Boolean truth) {
            return truth ? "True" : "False";
        }
        if (key instanceof Number) {
            return key.toString();
        }
        if (key == TorchPickle.NONE) {
            return "None";
        }
        if (key instanceof TorchObject object) {
            return "<" + object.name() + ">";
        }
        if (key instanceof TorchGlobal global) {
            return "<" + global.name() + ">";
        }
        return "<" + key.getClass().getSimpleName() + ">";
    }

    private static boolean isLong(Object step) {
        return step instanceof String text && text.length() > LONGEST;
    }

    private static String quoted(String text) {
        if (isLong(text)) {
            return quoted(text.substring(0, LONGEST)) + "...";
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else if (c < ' ') {
                quoted.append(String.format(Locale.ROOT, "\\x%02x", (int) c));
            } else {
                quoted.append(c);
            }
        }
        return quoted.append('"').toString();
    }
}
