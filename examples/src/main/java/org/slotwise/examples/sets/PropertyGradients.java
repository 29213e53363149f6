package org.slotwise.examples.sets;

import java.util.Locale;

/** Which iterations of its grouping a {@link PropertyModel} learns by. */
enum PropertyGradients {
    /** The last one: those before it only find what it starts from. */
    LAST,

    /** All of them. */
    ALL;

    /** As on the command line and in files. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
