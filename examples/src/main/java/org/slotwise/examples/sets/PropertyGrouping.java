package org.slotwise.examples.sets;

import java.util.Locale;

/** How a {@link PropertyModel} makes slots of features. */
enum PropertyGrouping {
    /** Slot Attention. */
    ATTENTION,

    /** Slots as the Gaussians of a mixture. */
    MIXTURE,

    /** Slot Attention, and then attributes from categorical latents of each slot. */
    DISCRETE;

    /** As on the command line and in files. */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
