package org.slotwise.model;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.slotwise.gnm.Gnm;

/**
 * Makes the block of a saved {@link GnmModel}, with its weights, for {@code blockFactory} in DJL's
 * {@code serving.properties}.
 */
public final class GnmBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1;

    /** Creates the factory, as DJL does. */
    public GnmBlockFactory() {}

    /**
     * Makes the block of a saved model.
     *
     * @param model what owns the weights
     * @param modelPath the model's folder
     * @param arguments not used
     * @return a {@link Gnm} with weights
     * @throws IOException if the folder cannot be read, is no such model, is damaged, or of a newer
     *     version; the message names it
     */
    @Override
    public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments)
            throws IOException {
        return GnmFolder.read(modelPath, model);
    }
}
