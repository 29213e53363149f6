package org.slotwise.examples.shared;

import java.io.IOException;
import java.io.InputStream;
import org.slotwise.weights.StateDict;

/** The weights of the models that come with these examples. */
public final class ShippedWeights {

    private ShippedWeights() {}

    /**
     * Reads the weights of a model.
     *
     * @param reader a class in whose package the file is
     * @param file the name of its file, without a folder
     * @return what is in it
     * @throws IOException if there is no such model
     */
    public static StateDict read(Class<?> reader, String file) throws IOException {
        try (InputStream in = reader.getResourceAsStream(file)) {
            if (in == null) {
                throw new IOException(
                        "no "
                                + file
                                + " comes with these examples: train a model, and name it by"
                                + " --model");
            }
            return StateDict.read(in);
        }
    }
}
