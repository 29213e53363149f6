package org.slotwise.weights;

import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Finds the tensors in what a pickle holds. The names of nested dicts and lists are joined by dots;
 * what is not a tensor is passed over. If the outermost dict has a dict "state_dict", as
 * Lightning's checkpoints, that one is read alone.
 */
final class TorchNames {

    private static final int MAX_NAME = 1024;
    private static final int MAX_DEPTH = 64;
    private static final long MAX_CHARACTERS = 1 << 25;

    /** A tensor and where it is. */
    record Placed(TorchTensor tensor, PythonPath path) {}

    /** An object that is in the way, by name and place. */
    private record Found(String name, PythonPath path, TorchObject object) {}

    private final ReadOptions options;
    private final Map<String, Placed> tensors = new LinkedHashMap<>();
    private final List<Found> objects = new ArrayList<>();
    private int values;
    private long characters;
    private boolean any;

    private TorchNames(ReadOptions options) {
        this.options = options;
    }

    /**
     * The tensors that are wanted, by name.
     *
     * @throws IOException if one of them cannot be read, or may be hidden in an object; the message
     *     has the Python that mends it
     */
    static Map<String, Placed> of(Object root, ReadOptions options) throws IOException {
        TorchNames names = new TorchNames(options);
        Object inner = root instanceof TorchDict dict ? dict.get("state_dict") : null;
        if (root instanceof TorchTensor || root instanceof UnreadableTensor) {
            throw new IOException(
                    "a single tensor without a name; save a dict in Python: "
                            + TorchRemedy.singleTensor());
        }
        if (inner instanceof TorchDict) {
            names.collect("", PythonPath.ROOT.item("state_dict"), inner, 0);
        } else {
            names.collect("", PythonPath.ROOT, root, 0);
        }
        names.checkObjects();
        return names.tensors;
    }

    private void collect(String name, PythonPath path, Object value, int depth) throws IOException {
        if (depth > MAX_DEPTH || ++values > TorchPickle.MAX_INSTRUCTIONS) {
            throw new IOException("the dict is too deep or too large");
        }
        if (value instanceof TorchTensor tensor) {
            any = true;
            add(name, path, tensor);
        } else if (value instanceof UnreadableTensor unreadable) {
            any = true;
            if (options.wants(name)) {
                throw new IOException(
                        name
                                + " is "
                                + unreadable.what()
                                + ", which is not supported"
                                + TorchRemedy.ofTensor(path, unreadable.remedy()));
            }
        } else if (value instanceof TorchDict dict) {
            for (TorchDict.Item item : dict.items()) {
                if (mayHold(item.value())) {
                    collect(join(name, item.key()), path.item(item.key()), item.value(), depth + 1);
                }
            }
        } else if (value instanceof List<?> list) {
            for (int i = 0; i < list.size(); i++) {
                if (mayHold(list.get(i))) {
                    collect(join(name, (long) i), path.item((long) i), list.get(i), depth + 1);
                }
            }
        } else if (value instanceof TorchObject object) {
            objects.add(new Found(name, path, object));
        }
    }

    /** Numbers and texts are passed over before their names are made. */
    private boolean mayHold(Object value) throws IOException {
        if (++values > TorchPickle.MAX_INSTRUCTIONS) {
            throw new IOException("the dict is too deep or too large");
        }
        return mayHoldTensors(value);
    }

    /** Whether a value is a tensor, or may hold some. */
    static boolean mayHoldTensors(Object value) {
        return value instanceof TorchTensor
                || value instanceof UnreadableTensor
                || value instanceof TorchDict
                || value instanceof List<?>
                || value instanceof TorchObject;
    }

    private void add(String name, PythonPath path, TorchTensor tensor) throws IOException {
        if (!options.wants(name)) {
            return;
        }
        if (tensors.put(name, new Placed(tensor, path)) != null) {
            throw new IOException(name + " comes twice");
        }
        if (tensors.size() > FileArray.MAX_ARRAYS) {
            throw new IOException("more than " + FileArray.MAX_ARRAYS + " tensors");
        }
    }

    private String join(String name, Object key) throws IOException {
        String last = key instanceof String text ? text : PythonPath.literal(key);
        String joined = name.isEmpty() ? last : name + "." + last;
        characters += joined.length();
        if (joined.length() > MAX_NAME || characters > MAX_CHARACTERS) {
            throw new IOException(
                    "a name of more than "
                            + MAX_NAME
                            + " characters, or names of more than "
                            + MAX_CHARACTERS
                            + " together");
        }
        return joined;
    }

    /** What an object holds would be passed over in silence. */
    private void checkObjects() throws IOException {
        HiddenTensors hidden = new HiddenTensors();
        for (Found found : objects) {
            boolean whole = found.name.isEmpty();
            String line =
                    whole || options.wants(found.name) ? hidden.in(found.object, found.path) : null;
            if (line != null) {
                throw new IOException(
                        describe(found)
                                + ", which has tensors inside; nothing was run. "
                                + (whole ? "If" : "Pass it over by ReadOptions.optOnly, or if")
                                + " you trust the file, write its weights alone in Python: "
                                + line);
            }
        }
        if (!any && !objects.isEmpty()) {
            throw new IOException(
                    "it has no tensors: "
                            + describe(objects.get(0))
                            + ", which is no part of a state dict; nothing was run");
        }
    }

    private static String describe(Found found) {
        String name = found.name.isEmpty() ? "it" : found.name;
        return name + " is an object of " + found.object.name();
    }
}
