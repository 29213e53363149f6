package org.slotwise.model;

import ai.djl.Model;
import ai.djl.nn.Block;
import ai.djl.nn.BlockFactory;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.UUID;

/**
 * Makes the block of a saved model, with its weights, for {@code blockFactory} in DJL's {@code
 * serving.properties}.
 */
public final class ObjectDiscoveryBlockFactory implements BlockFactory {

    private static final long serialVersionUID = 1;

    /** Creates the factory, as DJL does. */
    public ObjectDiscoveryBlockFactory() {}

    /**
     * Makes the block of a saved model.
     *
     * @param model what owns the weights
     * @param modelPath the model's folder
     * @param arguments not used
     * @return an {@link ObjectDiscovery} with weights, closed with the model
     * @throws IOException if the folder cannot be read, is no such model, is damaged, or of a newer
     *     version; the message names it
     */
    @Override
    public Block newBlock(Model model, Path modelPath, Map<String, ?> arguments)
            throws IOException {
        ObjectDiscovery block = ModelFolder.read(modelPath, model);
        model.getNDManager().attachInternal(UUID.randomUUID().toString(), block);
        return block;
    }
}
