package org.slotwise.model;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.slotwise.internal.Check;
import org.slotwise.weights.StateDict;

/** The weights that come with the library. */
final class ShippedWeights {

    static final List<String> NAMES = List.of("multi-dsprites", "tetrominoes");

    private ShippedWeights() {}

    static ObjectDiscoveryConfiguration configuration(String name) {
        Check.option(
                NAMES.contains(name),
                "ObjectDiscoveryModel: no " + name + " comes with the library, only " + NAMES);
        return Presets.named(name).configuration();
    }

    static void loadInto(String name, ObjectDiscovery block) {
        String file = name + ".safetensors";
        try (InputStream in = ShippedWeights.class.getResourceAsStream(file)) {
            if (in == null) {
                throw new IllegalStateException(file + " is not in the library's jar");
            }
            try (StateDict weights = StateDict.read(in)) {
                // Where it lies today; the file is older.
                weights.rename(part -> part.equals("start") ? "conditioning.start" : part)
                        .loadInto(block);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
