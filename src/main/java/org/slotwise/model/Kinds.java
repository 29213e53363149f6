package org.slotwise.model;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The kinds of a part of a model: for each its name in files, its record, and how its block is
 * made. A new kind is a record in the part's interface and a line in the part's table.
 *
 * @param <C> the interface of the records
 * @param <P> what is made
 */
final class Kinds<C, P> {

    /**
     * Makes a part.
     *
     * @param <C> its record
     * @param <P> what is made
     */
    @FunctionalInterface
    interface Maker<C, P> {
        P make(C configuration, Sizes sizes) throws IOException;
    }

    private record Kind<C, P>(Class<? extends C> type, Maker<C, P> maker) {}

    private final Map<String, Kind<C, P>> byName = new LinkedHashMap<>();

    /** Adds a kind. */
    <T extends C> Kinds<C, P> with(String name, Class<T> type, Maker<T, P> maker) {
        byName.put(name, new Kind<>(type, (c, sizes) -> maker.make(type.cast(c), sizes)));
        return this;
    }

    /** The records by their names. */
    Map<String, Class<? extends C>> types() {
        Map<String, Class<? extends C>> types = new LinkedHashMap<>();
        byName.forEach((name, kind) -> types.put(name, kind.type()));
        return types;
    }

    /** Makes the part that a record describes. */
    P make(C configuration, Sizes sizes) throws IOException {
        for (Kind<C, P> kind : byName.values()) {
            if (kind.type().isInstance(configuration)) {
                return kind.maker().make(configuration, sizes);
            }
        }
        throw new IllegalStateException(configuration.getClass() + " is in no table of kinds");
    }
}
