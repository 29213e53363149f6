package org.slotwise.internal;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The options of a block that decide what its parameters mean, in a fixed order: they are saved
 * with the parameters, and compared when those are read.
 */
public final class Options {

    private final Map<String, @Nullable Object> values = new LinkedHashMap<>();

    private Options() {}

    /**
     * No options.
     *
     * @return an empty list, to which some may be added
     */
    public static Options none() {
        return new Options();
    }

    /**
     * Begins with an option.
     *
     * @param name its name
     * @param value its value
     * @return a list of one
     */
    public static Options of(String name, @Nullable Object value) {
        return none().and(name, value);
    }

    /**
     * Goes on with an option.
     *
     * @param name its name
     * @param value its value
     * @return this
     */
    public Options and(String name, @Nullable Object value) {
        values.put(name, value);
        return this;
    }

    /**
     * Goes on with an option that was not there when the first parameters were saved: it is left
     * out where it says what was true then.
     *
     * @param asBefore whether the option has the value that all had then
     * @param name its name
     * @param value its value
     * @return this
     */
    public Options andUnless(boolean asBefore, String name, @Nullable Object value) {
        return asBefore ? this : and(name, value);
    }

    /**
     * As they are saved.
     *
     * @return "(dim=64, heads=4)"
     */
    public String written() {
        return values.entrySet().stream()
                .map(option -> option.getKey() + "=" + option.getValue())
                .collect(Collectors.joining(", ", "(", ")"));
    }

    /** As a map writes itself: "{dim=64, heads=4}". */
    @Override
    public String toString() {
        return values.toString();
    }
}
