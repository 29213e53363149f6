package org.slotwise.examples.sets;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.conditioning.RandomConditioning;
import org.slotwise.data.ClevrObject;
import org.slotwise.examples.shared.ModelFile;
import org.slotwise.examples.shared.ModelFile.Maker;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.PerceptualGrouping;
import org.slotwise.grouping.PerceptualGroupingOutput;
import org.slotwise.grouping.SlotAttention;
import org.slotwise.grouping.SlotMixtureGrouping;
import org.slotwise.layer.FeedForward;
import org.slotwise.quantization.SlotQuantizer;
import org.slotwise.weights.StateDict;

/**
 * Says what objects a picture has and where: the model of Locatello et al. (2020), section 4.2,
 * with a smaller encoder for smaller pictures and a choice of the grouping.
 *
 * <pre>{@code
 * features   = PropertyEncoder(2 (image - 0.55))   16 x 16 of 128 numbers
 * slots      = grouping(features, random start; of a mixture a start on features)
 * read       = slots; of a mixture SeenFeatures(slots, features)
 * properties = PropertyHead(read)                  19 numbers for each slot
 * }</pre>
 */
final class PropertyModel extends AbstractBlock {

    /** The features are on a grid of so many rows and columns. */
    static final int GRID = PropertyScenes.SIDE / PropertyEncoder.STRIDE;

    private static final byte VERSION = 2;
    private static final String SHIPPED = "sets.safetensors";
    private static final int DIM = 64;
    private static final int FEED_FORWARD = 128;

    /** Of the ground, about the mean of a picture. */
    private static final float GREY = 0.55f;

    private static final float CONTRAST = 2;

    private final PropertySlots slots;
    private final PropertyEncoder encoder;
    private final @Nullable RandomConditioning conditioning; // null for a mixture
    private final PerceptualGrouping grouping;
    private final @Nullable SeenFeatures seen; // of a mixture
    private final PropertyHead head;

    private PropertyModel(PropertySlots slots) {
        super(VERSION);
        this.slots = slots;
        boolean mixture = slots.grouping() == PropertyGrouping.MIXTURE;
        int dim = mixture ? 2 * DIM : DIM; // means and deviations
        encoder = addChildBlock("encoder", new PropertyEncoder());
        conditioning =
                mixture
                        ? null
                        : addChildBlock(
                                "conditioning",
                                RandomConditioning.builder()
                                        .setDim(dim)
                                        .setSlots(slots.count())
                                        .build());
        grouping = addChildBlock("grouping", mixture ? mixture(slots) : attention(slots));
        int featureDim = PropertyEncoder.FEATURE_DIM;
        seen = mixture ? addChildBlock("seen", new SeenFeatures(dim, featureDim)) : null;
        head =
                addChildBlock(
                        "head",
                        new PropertyHead(mixture ? dim + featureDim : dim, slots.grouping()));
    }

    private static PerceptualGrouping attention(PropertySlots slots) {
        return SlotAttention.builder()
                .setDim(DIM)
                .setFeatureDim(PropertyEncoder.FEATURE_DIM)
                .optIterations(slots.iterations())
                .optImplicitDifferentiation(slots.gradients() == PropertyGradients.LAST)
                .optFeedForward(new FeedForward(DIM, FEED_FORWARD))
                .build();
    }

    private static PerceptualGrouping mixture(PropertySlots slots) {
        return SlotMixtureGrouping.builder()
                .setDim(2 * DIM)
                .setFeatureDim(PropertyEncoder.FEATURE_DIM)
                .optIterations(slots.iterations())
                .optImplicitDifferentiation(slots.gradients() == PropertyGradients.LAST)
                .optFeedForward(new FeedForward(DIM, FEED_FORWARD))
                .build();
    }

    /**
     * A model with random weights.
     *
     * @param manager their owner
     * @param slots how it comes to them
     * @return a model to be trained
     */
    static PropertyModel fresh(NDManager manager, PropertySlots slots) {
        PropertyModel model = new PropertyModel(slots);
        int side = PropertyScenes.SIDE;
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, side, side));
        return model;
    }

    /**
     * The model of a file.
     *
     * @param manager the owner of its weights
     * @param file a file that {@link #write} made; null for the model that comes with these
     *     examples
     * @param slots how many objects it can say at most
     * @param iterations how many iterations of its grouping; null for as many as it learnt with
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read or is of another model
     */
    static PropertyModel load(
            NDManager manager, @Nullable Path file, int slots, @Nullable Integer iterations)
            throws IOException {
        return ModelFile.read(
                Maker.SETS,
                file,
                PropertyModel.class,
                SHIPPED,
                weights -> {
                    PropertyModel model =
                            fresh(manager, PropertySlots.of(weights.metadata(), iterations, slots));
                    weights.loadInto(model);
                    return model;
                });
    }

    /**
     * Writes the model to a file.
     *
     * @param file a path that ends in ".safetensors"
     * @throws IOException if it cannot be written
     */
    void write(Path file) throws IOException {
        try (StateDict weights = StateDict.of(this)) {
            weights.withMetadata(slots.metadata()).write(file);
        }
    }

    /** What takes part in the annealing of a temperature; null if slots are not made discrete. */
    @Nullable SlotQuantizer quantizer() {
        return head.quantizer();
    }

    /** How many objects the model can say at most. */
    int slots() {
        return slots.count();
    }

    /** How many iterations its grouping takes. */
    int iterations() {
        return slots.iterations();
    }

    /**
     * What the model says of pictures.
     *
     * @param properties (B, K, 19)
     * @param attention which slot looks where, (B, K, 256), the grid row by row
     * @param prior what is added to the loss, (); null for nothing
     */
    record Prediction(NDArray properties, NDArray attention, @Nullable NDArray prior) {}

    /**
     * Says what objects pictures have.
     *
     * @param store where the weights are
     * @param images (B, 3, 64, 64) in [0, 1]
     * @param training whether to record a graph for gradients
     * @return properties and attention
     */
    Prediction predict(ParameterStore store, NDArray images, boolean training) {
        NDArray centred = images.sub(GREY).mul(CONTRAST);
        FeatureExtractorOutput features =
                new FeatureExtractorOutput(
                        encoder.forward(store, new NDList(centred), training).head());
        PerceptualGroupingOutput grouped =
                grouping.group(store, features, start(store, features, training), training);
        NDArray read =
                seen == null
                        ? grouped.objects()
                        : seen.beside(store, grouped, features.features(), training);
        PropertyHead.Reading reading = head.read(store, read, training);
        return new Prediction(reading.properties(), grouped.attributions(), reading.prior());
    }

    private NDArray start(ParameterStore store, FeatureExtractorOutput features, boolean training) {
        if (conditioning == null) {
            return ((SlotMixtureGrouping) grouping)
                    .startOnFeatures(store, features, null, slots.count());
        }
        NDArray x = features.features();
        return conditioning.sample(
                store, x.getManager(), x.getShape().get(0), slots.count(), training);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        Prediction prediction = predict(store, inputs.head(), training);
        return new NDList(prediction.properties(), prediction.attention());
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        encoder.initialize(manager, type, inputShapes);
        if (conditioning != null) {
            conditioning.initialize(manager, type);
        }
        grouping.initialize(manager, type);
        if (seen != null) {
            seen.initialize(manager, type);
        }
        head.initialize(manager, type);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        long images = inputShapes[0].get(0);
        return new Shape[] {
            new Shape(images, slots.count(), ClevrObject.PROPERTIES),
            new Shape(images, slots.count(), (long) GRID * GRID)
        };
    }
}
