package org.slotwise.examples.gnm;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.weights.StateDict;

/** A small {@link Gnm} as a file that says which size it has. */
final class GnmModel {

    /** The name of the model's file, as these examples bring one. */
    static final String FILE = "counted-gnm.safetensors";

    private static final String SIZE = "gnm.image_size";

    private GnmModel() {}

    /** A model whose weights are drawn with the engine's generator. */
    static Gnm fresh(NDManager manager, int size) {
        Gnm gnm = new Gnm(GnmConfiguration.small(size));
        gnm.initialize(manager, DataType.FLOAT32, new Shape(1, 3, size, size));
        return gnm;
    }

    /**
     * Reads a model.
     *
     * @param manager the owner of its weights
     * @param file a safetensors file; null for the model that comes with the examples
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read, or is of another program
     */
    static Gnm load(NDManager manager, @Nullable Path file) throws IOException {
        return ModelFile.read(
                Maker.GNM,
                file,
                GnmModel.class,
                FILE,
                weights -> {
                    String size = weights.metadata().get(SIZE);
                    if (size == null) {
                        throw new IllegalArgumentException("it does not say its size");
                    }
                    Gnm gnm = fresh(manager, Integer.parseInt(size));
                    weights.loadInto(gnm);
                    return gnm;
                });
    }

    /** Writes a model to a path that ends in ".safetensors". */
    static void write(Gnm gnm, Path file) throws IOException {
        String size = Integer.toString(gnm.sizes().picture().size());
        StateDict.of(gnm).withMetadata(Map.of(SIZE, size)).write(file);
    }
}
