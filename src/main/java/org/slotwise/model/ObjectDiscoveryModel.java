package org.slotwise.model;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.ndarray.types.DataType;
import ai.djl.training.Trainer;
import ai.djl.training.TrainingConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scenes;
import org.slotwise.image.ObjectDiscoveryTranslator;
import org.slotwise.training.Float64Trainer;
import org.slotwise.training.StepRandom;

/**
 * An {@link ObjectDiscovery} with weights: trained, scored, asked and kept in a line each.
 *
 * <pre>{@code
 * Preset preset = Presets.named("tetrominoes");
 * try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(preset.configuration(), 0)) {
 *     model.fit(scenes, preset.recipe());
 *     System.out.println(model.evaluate(others));
 *     model.save(Path.of("my-model"));
 * }
 * try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(Path.of("my-model"))) {
 *     DiscoveredObjects found = model.predict(image);
 * }
 * }</pre>
 *
 * <p>Any number of threads may predict at once; one at a time may train, and none predict
 * meanwhile.
 */
public final class ObjectDiscoveryModel implements PictureModel {

    private static final String NAME = "object-discovery";

    private final Model model;
    private final ObjectDiscovery block;

    private ObjectDiscoveryModel(Model model, ObjectDiscovery block) {
        this.model = model;
        this.block = block;
        block.keepReachable(model);
    }

    /**
     * A model with weights that are drawn, on the engine's default device.
     *
     * @param configuration what it is made from, that of a {@link Preset} for instance
     * @param seed which weights
     * @return a model to be trained
     * @throws IllegalArgumentException if a part cannot be made as it is described
     * @throws java.io.UncheckedIOException if a network's file cannot be read
     */
    public static ObjectDiscoveryModel create(
            ObjectDiscoveryConfiguration configuration, long seed) {
        Model model = Model.newInstance(NAME, null, "PyTorch");
        try {
            ObjectDiscovery block = new ObjectDiscovery(configuration);
            new StepRandom(seed).seedEngine(Engine.getEngine("PyTorch"), 0);
            ModelWeights.draw(block, model.getNDManager(), DataType.FLOAT32);
            model.setBlock(block);
            return new ObjectDiscoveryModel(model, block);
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
    public static ObjectDiscoveryModel load(Path path) throws IOException {
        if (ShippedWeights.NAMES.contains(path.toString()) && !Files.exists(path)) {
            throw new IOException(
                    "ObjectDiscoveryModel: cannot load "
                            + path
                            + ": there is no folder or file of this name; the model that the"
                            + " library brings is ObjectDiscoveryModel.shipped(\""
                            + path
                            + "\")");
        }
        Model model = Model.newInstance(NAME, null, "PyTorch");
        try {
            ObjectDiscovery block = ModelFolder.read(path, model);
            model.setBlock(block);
            return new ObjectDiscoveryModel(model, block);
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /**
     * A trained model that comes with the library.
     *
     * @param name one of {@link #shippedNames}
     * @return the model
     * @throws IllegalArgumentException if there is none of this name; the message lists them
     */
    public static ObjectDiscoveryModel shipped(String name) {
        ObjectDiscoveryModel made = create(ShippedWeights.configuration(name), 0);
        try {
            ShippedWeights.loadInto(name, made.block);
            return made;
        } catch (RuntimeException e) {
            made.close();
            throw e;
        }
    }

    /**
     * The trained models that come with the library: presets of these names.
     *
     * @return their names
     */
    public static List<String> shippedNames() {
        return ShippedWeights.NAMES;
    }

    /**
     * What the model was made from.
     *
     * @return the configuration
     */
    public ObjectDiscoveryConfiguration configuration() {
        return block.madeFrom();
    }

    /**
     * The block, for what has no line here.
     *
     * @return the block, which has its weights until this model is closed
     */
    public ObjectDiscovery block() {
        return block;
    }

    /** {@inheritDoc} */
    @Override
    public int imageHeight() {
        return configuration().imageHeight();
    }

    /** {@inheritDoc} */
    @Override
    public int imageWidth() {
        return configuration().imageWidth();
    }

    /** {@inheritDoc} */
    @Override
    public PictureFit fit() {
        return configuration().fit();
    }

    /** {@inheritDoc} */
    @Override
    public Model model() {
        return model;
    }

    /**
     * Trains the model from the weights that it has; {@link ObjectDiscoveryTraining} has
     * checkpoints, reports and listeners.
     *
     * @param scenes what it learns from; masks are not looked at
     * @param recipe how
     * @return how it ended
     * @throws IOException if a scene cannot be read
     * @throws IllegalStateException if the training diverges
     */
    public TrainingProgress fit(Scenes scenes, TrainingRecipe recipe) throws IOException {
        return ObjectDiscoveryTraining.builder()
                .setModel(this)
                .setScenes(scenes)
                .setRecipe(recipe)
                .build()
                .train();
    }

    /** DJL's trainer, or the one for float64, which DJL's cannot train. */
    Trainer newTrainer(TrainingConfig config) {
        return model.getDataType() == DataType.FLOAT64
                ? new Float64Trainer(model, config)
                : model.newTrainer(config);
    }

    /**
     * Scores the model on scenes whose masks are known, at the model's image size.
     *
     * @param scenes at least one, each with a mask
     * @return means over all scenes
     * @throws IOException if a scene cannot be read
     * @throws IllegalArgumentException if there are no scenes, or one has no mask
     */
    public SegmentationScores evaluate(Scenes scenes) throws IOException {
        return new SceneEvaluation(block, model.getNDManager(), model.getDataType()).of(scenes);
    }

    /** {@inheritDoc} */
    @Override
    public ObjectDiscoveryTranslator translator() {
        return ObjectDiscoveryTranslatorFactory.of(block);
    }

    /**
     * Keeps the model: configuration, weights, and what DJL needs to load it by itself. What was
     * there under this name is replaced when the new one is whole.
     *
     * @param path a folder, or a file if it ends in .zip
     * @throws IOException if it cannot be written, or there is something else of this name ({@link
     *     #requireReplaceable})
     */
    @Override
    public void save(Path path) throws IOException {
        ModelFolder.write(path, block);
    }

    /**
     * Finds out before a training whether {@link #save} would refuse what is there: it replaces
     * models, empty folders and empty files, and nothing else.
     *
     * @param path a folder, or a file if it ends in .zip
     * @throws java.nio.file.FileAlreadyExistsException if there is something else; the message says
     *     what
     * @throws IOException if that cannot be read
     */
    public static void requireReplaceable(Path path) throws IOException {
        ModelFolder.requireReplaceable(path);
    }

    /** Frees the weights. */
    @Override
    public void close() {
        model.close();
        block.close();
    }
}
