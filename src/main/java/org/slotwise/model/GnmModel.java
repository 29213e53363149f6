package org.slotwise.model;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import java.io.IOException;
import java.nio.file.Path;
import org.slotwise.data.PictureFit;
import org.slotwise.gnm.Gnm;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.training.StepRandom;

/**
 * A {@link Gnm} with weights that is kept in a folder or .zip, and asked for the objects of
 * pictures as other models are: slot 0 is the background, slot n the n-th cell. What it says is the
 * most probable explanation; nothing is drawn.
 *
 * <pre>{@code
 * try (GnmModel model = GnmModel.create(GnmConfiguration.small(32), 0)) {
 *     weights.loadInto(model.block());
 *     model.save(Path.of("counting.zip"));
 * }
 * try (GnmModel model = GnmModel.load(Path.of("counting.zip"))) {
 *     DiscoveredObjects found = model.predict(image);
 * }
 * }</pre>
 *
 * <p>DJL loads what was saved by itself, as it does an {@link ObjectDiscoveryModel}'s. Any number
 * of threads may predict at once.
 */
public final class GnmModel implements PictureModel {

    private final Model model;
    private final Gnm block;

    private GnmModel(Model model, Gnm block) {
        this.model = model;
        this.block = block;
        block.keepReachable(model);
    }

    /**
     * A model with weights that are drawn, on the engine's default device.
     *
     * @param configuration the sizes, of three colours
     * @param seed which weights
     * @return a model
     * @throws IllegalArgumentException if pictures have another number of colours
     */
    public static GnmModel create(GnmConfiguration configuration, long seed) {
        Model model = Model.newInstance(GnmFolder.WHO, null, "PyTorch");
        try {
            GnmFolder.requireColours(configuration);
            new StepRandom(seed).seedEngine(Engine.getEngine("PyTorch"), 0);
            Gnm block = GnmFolder.draw(configuration, model.getNDManager(), DataType.FLOAT32);
            model.setBlock(block);
            return new GnmModel(model, block);
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * A model that was saved.
     *
     * @param path the folder or .zip
     * @return the model
     * @throws IOException if it cannot be read, is no such model, is damaged, or of a newer
     *     version; the message names it
     */
    public static GnmModel load(Path path) throws IOException {
        Model model = Model.newInstance(GnmFolder.WHO, null, "PyTorch");
        try {
            Gnm block = GnmFolder.read(path, model);
            model.setBlock(block);
            return new GnmModel(model, block);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * The block, for what has no line here: counts and places, new scenes.
     *
     * @return the block, which has its weights until this model is closed
     */
    public Gnm block() {
        return block;
    }

    /** {@inheritDoc} */
    @Override
    public int imageHeight() {
        return block.sizes().picture().size();
    }

    /** {@inheritDoc} */
    @Override
    public int imageWidth() {
        return block.sizes().picture().size();
    }

    /** {@inheritDoc} */
    @Override
    public PictureFit fit() {
        return PictureFit.SQUEEZE;
    }

    /** {@inheritDoc} */
    @Override
    public Model model() {
        return model;
    }

    /** {@inheritDoc} */
    @Override
    public ObjectDiscoveryTranslator translator() {
        return ObjectDiscoveryTranslatorFactory.of(block);
    }

    /** {@inheritDoc} */
    @Override
    public void save(Path path) throws IOException {
        GnmFolder.write(path, block);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        model.close();
    }
}
