package org.slotwise.weights;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds tensors in objects, and how Python takes them out. Each value is looked at once, whatever
 * holds it, and none recurses.
 */
final class HiddenTensors {

    /** How the tensors of what holds them are taken out of it, %s. */
    private enum Way {
        ITSELF("%s"),
        ITEMS("dict(%s)"),
        ELEMENTS("{str(i): t for i, t in enumerate(%s) if torch.is_tensor(t)}"),
        ATTRIBUTES("{k: t for k, t in vars(%s).items() if torch.is_tensor(t)}"),
        MODULE("%s.state_dict()");

        private final String expression;

        Way(String expression) {
            this.expression = expression;
        }
    }

    /** A value and its place; unknown if it is an argument of a function. */
    private record Seen(
            Object value, @Nullable PythonPath path, Way way, @Nullable PythonPath around) {}

    private final Set<Object> visited = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Deque<Seen> queue = new ArrayDeque<>();
    private int steps;

    /**
     * Where there is Python that takes the tensors of an object out.
     *
     * @return the advice, or null if the object has no tensors, or those that were found before
     * @throws IOException if there is too much to look at
     */
    @Nullable String in(TorchObject object, PythonPath path) throws IOException {
        queue.clear();
        add(object, path, Way.ITSELF, path);
        while (!queue.isEmpty()) {
            Seen seen = queue.remove();
            PythonPath at = seen.path;
            if (seen.value instanceof TorchDict dict) {
                items(dict, at, Way.ITSELF);
            } else if (seen.value instanceof List<?> list) {
                long i = 0;
                for (Object element : list) {
                    add(element, at == null ? null : at.item(i++), Way.ELEMENTS, at);
                }
            } else if (seen.value instanceof TorchObject inner) {
                steps += inner.attributes().stream().mapToInt(d -> d.items().size()).sum();
                if (inner.isModule()) {
                    return line(Way.MODULE, at);
                }
                attributes(inner, at);
                items(inner.items(), at, Way.ITEMS);
                for (Object part : inner.parts()) {
                    add(part, null, Way.ITSELF, null);
                }
            } else {
                return line(seen.way, seen.around);
            }
        }
        return null;
    }

    private static String line(Way way, @Nullable PythonPath path) {
        String place = path == null ? null : path.of(TorchRemedy.trusted());
        return place == null
                ? "see docs/interop.md#files"
                : TorchRemedy.save(way.expression.replace("%s", place));
    }

    private void attributes(TorchObject object, @Nullable PythonPath at) throws IOException {
        for (TorchDict attributes : object.attributes()) {
            for (TorchDict.Item item : attributes.items()) {
                PythonPath place =
                        at != null && item.key() instanceof String name ? at.attribute(name) : null;
                add(item.value(), place, Way.ATTRIBUTES, at);
            }
        }
    }

    private void items(TorchDict dict, @Nullable PythonPath at, Way way) throws IOException {
        for (TorchDict.Item item : dict.items()) {
            add(item.value(), at == null ? null : at.item(item.key()), way, at);
        }
    }

    private void add(Object value, @Nullable PythonPath path, Way way, @Nullable PythonPath around)
            throws IOException {
        if (++steps > 2 * TorchPickle.MAX_INSTRUCTIONS) {
            throw new IOException("the objects in it are too large");
        }
        if (TorchNames.mayHoldTensors(value) && visited.add(value)) {
            queue.add(new Seen(value, path, way, around));
        }
    }
}
