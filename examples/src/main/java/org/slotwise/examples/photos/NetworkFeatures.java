package org.slotwise.examples.photos;

import ai.djl.MalformedModelException;
import ai.djl.ndarray.NDArray;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import org.slotwise.encoder.PretrainedBackbone;

/**
 * The features of a network that was trained elsewhere.
 *
 * @param backbone the network, frozen
 */
record NetworkFeatures(PretrainedBackbone backbone) implements PhotoFeatures {

    /**
     * Loads a network.
     *
     * @param file TorchScript or ONNX
     * @param size the height and width of the images
     * @return its features
     * @throws IOException if it cannot be used, with a message for the user
     */
    static NetworkFeatures load(Path file, int size) throws IOException {
        try {
            return new NetworkFeatures(
                    PretrainedBackbone.builder().setFile(file).setImageSize(size, size).build());
        } catch (MalformedModelException | IllegalArgumentException | IllegalStateException e) {
            throw new IOException(e.getMessage(), e);
        }
    }

    @Override
    public NDArray extract(NDArray images) {
        ParameterStore none = new ParameterStore(images.getManager(), false);
        return backbone.extract(none, images, false).features();
    }

    @Override
    public int grid() {
        return backbone.gridHeight();
    }

    @Override
    public String description() {
        return backbone.description();
    }

    @Override
    public void close() {
        backbone.close();
    }
}
