package org.slotwise.weights;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A dict of a pickle: its items in the order in which they were put in. Keys are compared by nobody
 * but those who look for one, so that none of them can be made to collide.
 */
final class TorchDict {

    /** A key and its value. */
    record Item(Object key, Object value) {}

    private final List<Item> items = new ArrayList<>(0);

    void put(Object key, Object value) {
        items.add(new Item(key, value));
    }

    List<Item> items() {
        return items;
    }

    /** The value that was last put in under a text, or null. */
    @Nullable Object get(String key) {
        for (int i = items.size() - 1; i >= 0; i--) {
            if (key.equals(items.get(i).key())) {
                return items.get(i).value();
            }
        }
        return null;
    }
}
