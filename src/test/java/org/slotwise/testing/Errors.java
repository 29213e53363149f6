package org.slotwise.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.function.Executable;

/** Comparison of promised errors, to the letter. */
public final class Errors {

    private Errors() {}

    /** Requires an {@link IllegalArgumentException} with this message. */
    public static void assertRefused(String message, Executable what) {
        assertEquals(message, assertThrows(IllegalArgumentException.class, what).getMessage());
    }
}
