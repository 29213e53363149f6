package org.slotwise.examples.diffusion;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.model.LatentSlotDiffusion;
import org.slotwise.model.LatentSlotDiffusionConfiguration;

/** A {@link LatentSlotDiffusion} as one file that says what it is made from. */
final class DiffusionModel {

    /** The name of the model's file, as these examples bring one. */
    static final String FILE = "sprites-diffusion.safetensors";

    private DiffusionModel() {}

    /** A model whose weights are drawn with the engine's generator. */
    static LatentSlotDiffusion fresh(
            NDManager manager, LatentSlotDiffusionConfiguration configuration) {
        LatentSlotDiffusion model = new LatentSlotDiffusion(configuration);
        int side = configuration.discovery().imageHeight();
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, side, side));
        return model;
    }

    /**
     * Reads a model.
     *
     * @param manager the owner of its weights
     * @param file a safetensors file, or the folder or .zip of a saved model; null for the model
     *     that comes with the examples
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read, or is of another program
     */
    static LatentSlotDiffusion load(NDManager manager, @Nullable Path file) throws IOException {
        if (file != null && isWhole(file)) {
            try {
                return LatentSlotDiffusion.load(file, manager);
            } catch (IOException e) {
                throw ModelFile.explained(Maker.DIFFUSION, file, e);
            }
        }
        return ModelFile.read(
                Maker.DIFFUSION,
                file,
                DiffusionModel.class,
                FILE,
                weights -> LatentSlotDiffusion.of(weights, manager));
    }

    /** A folder or .zip, which is no file of weights. */
    private static boolean isWhole(Path file) {
        return Files.isDirectory(file)
                || file.toString().toLowerCase(Locale.ROOT).endsWith(".zip") && Files.exists(file);
    }
}
