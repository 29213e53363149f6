package org.slotwise.benchmark;

import java.util.Arrays;

/** A module that is measured. */
enum Module {
    SLOT_ATTENTION("SlotAttention"),
    STICK_BREAKING("StickBreaking"),
    K_MEANS("KMeans");

    private final String shown;

    Module(String shown) {
        this.shown = shown;
    }

    static Module of(String shown) {
        return Arrays.stream(values())
                .filter(module -> module.shown.equals(shown))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no module " + shown));
    }

    @Override
    public String toString() {
        return shown;
    }
}
