package org.slotwise.weights;

import java.util.ArrayList;
import java.util.List;

/**
 * What a pickle makes by a class or function that is no part of a state dict: nothing of it is run,
 * and only what it was to be given is known. Lists and dicts are not copied.
 */
final class TorchObject {

    private final String name;
    private final List<Object> parts = new ArrayList<>(1);
    private final List<TorchDict> attributes = new ArrayList<>(0);
    private final TorchDict items = new TorchDict();

    /** An object of a class, or the result of a function, and what that takes. */
    TorchObject(String name, List<Object> arguments) {
        this.name = name;
        parts.add(arguments);
    }

    /** The class or function. */
    String name() {
        return name;
    }

    /** Arguments, elements, and states that are not attributes by name. */
    List<Object> parts() {
        return parts;
    }

    /** What it was to have as attributes. */
    List<TorchDict> attributes() {
        return attributes;
    }

    /** What it was to have as items, being a kind of dict. */
    TorchDict items() {
        return items;
    }

    /** Takes the state that the pickle gives it: attributes, or anything. */
    void state(Object state) {
        if (state instanceof TorchDict dict) {
            attributes.add(dict);
        } else {
            parts.add(state);
        }
    }

    /** Whether it is one of PyTorch's modules, by the attributes that all of them have. */
    boolean isModule() {
        return attributes.stream()
                .anyMatch(dict -> dict.get("_parameters") != null && dict.get("_modules") != null);
    }
}
