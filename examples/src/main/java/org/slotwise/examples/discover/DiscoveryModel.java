package org.slotwise.examples.discover;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.NormalInitializer;
import ai.djl.util.PairList;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.examples.shared.SceneScoring;
import org.slotwise.grouping.AttentionTrace;
import org.slotwise.grouping.FeatureExtractorOutput;
import org.slotwise.grouping.InvariantSlotAttention;
import org.slotwise.grouping.PositionedSlots;
import org.slotwise.layer.FeedForward;

/**
 * Finds the objects of a picture without having been told what an object is: it describes the
 * picture by a few slots, and learns to make the picture again from them.
 *
 * <pre>{@code
 * slots, P = InvariantSlotAttention(DiscoveryEncoder(image), start)
 * masks, reconstruction = ShapeAndColourDecoder(slots, P)
 * }</pre>
 *
 * <p>All slots start from one vector, which is drawn once and not learnt; what tells them apart is
 * their {@link SlotStart}.
 *
 * <p>Inputs: the images (B, 3, H, W) in [0, 1]; in training, further, what the start drew, and what
 * is to be done, as {@link #plan} gives it. Outputs: those of {@link SlotDecoding}.
 */
public final class DiscoveryModel extends AbstractBlock {

    private static final byte VERSION = 1;

    /** The size of a slot. */
    public static final int SLOT_DIM = 64;

    /** What is added to attention where a file does not say. */
    static final double EPS = 1e-8;

    private static final int FEED_FORWARD = 128;
    private static final float START_DEVIATION = 0.1f;

    private final DiscoveryTask task;
    private final double eps;
    private final SlotStart slotStart;
    private final Parameter start;
    private final DiscoveryEncoder encoder;
    private final InvariantSlotAttention grouping;
    private final ShapeAndColourDecoder decoder;

    /**
     * Makes a model without weights.
     *
     * @param task what it is to learn
     * @param eps what is added to the attention of each slot to each feature
     */
    DiscoveryModel(DiscoveryTask task, double eps) {
        this(task, eps, task.layout().start());
    }

    private DiscoveryModel(DiscoveryTask task, double eps, SlotStart slotStart) {
        super(VERSION);
        this.task = task;
        this.eps = eps;
        DiscoveryLayout layout = task.layout();
        this.slotStart = slotStart;
        start =
                addParameter(
                        Parameter.builder()
                                .setName("start")
                                .setType(Parameter.Type.OTHER)
                                .optShape(new Shape(SLOT_DIM))
                                .optInitializer(new NormalInitializer(START_DEVIATION))
                                .optRequiresGrad(false)
                                .build());
        encoder =
                addChildBlock("encoder", new DiscoveryEncoder(layout.stride(), layout.channels()));
        FeedForward feedForward = new FeedForward(SLOT_DIM, FEED_FORWARD);
        feedForward.setInitializer(DiscoveryEncoder.xavier(), Parameter.Type.WEIGHT);
        grouping =
                addChildBlock(
                        "grouping",
                        InvariantSlotAttention.builder()
                                .setDim(SLOT_DIM)
                                .setFeatureDim(DiscoveryEncoder.FEATURE_DIM)
                                .optImplicitDifferentiation(true)
                                .optEps(eps)
                                .optFeedForward(feedForward)
                                .build());
        decoder = addChildBlock("decoder", newDecoder(task));
    }

    /** Where its slots start. */
    SlotStart slotStart() {
        return slotStart;
    }

    /** What the model has learnt, or is to learn. */
    DiscoveryTask task() {
        return task;
    }

    /**
     * The model of a file, or the one that these examples bring.
     *
     * @param manager the owner of its weights
     * @param file a safetensors file; null for the model that comes with the examples
     * @param wanted the task that the model is for; null for that of the file, or Tetrominoes
     * @param slots how many slots it has; null for as many as in training
     * @return a model that is ready to use
     * @throws IOException if the file cannot be read, or is of another model or task
     * @throws IllegalArgumentException if the model cannot have so many slots
     */
    public static DiscoveryModel load(
            NDManager manager,
            @Nullable Path file,
            @Nullable DiscoveryTask wanted,
            @Nullable Integer slots)
            throws IOException {
        return DiscoveryFile.load(manager, file, wanted, slots);
    }

    /**
     * A model whose weights are drawn with the engine's generator.
     *
     * @param manager the owner of its weights
     * @param task what it is to learn
     * @param metadata of the file of the weights, which may say what is added to attention
     * @return a model to load weights into
     * @throws IllegalArgumentException if what it says is no such number
     */
    public static DiscoveryModel initialized(
            NDManager manager, DiscoveryTask task, Map<String, String> metadata) {
        return initialized(manager, task, DiscoveryFile.eps(metadata), task.layout().start());
    }

    static DiscoveryModel initialized(
            NDManager manager, DiscoveryTask task, double eps, SlotStart start) {
        DiscoveryModel model = new DiscoveryModel(task, eps, start);
        int side = task.layout().side();
        model.initialize(manager, DataType.FLOAT32, new Shape(1, 3, side, side));
        return model;
    }

    /** What a file of the weights says of the attention; nothing where it is the usual. */
    public Map<String, String> told() {
        return DiscoveryFile.told(eps);
    }

    /**
     * Writes the model to a file.
     *
     * @param file a path that ends in ".safetensors"
     * @throws IOException if it cannot be written
     */
    void write(Path file) throws IOException {
        DiscoveryFile.write(file, this);
    }

    /**
     * What the model makes of pictures.
     *
     * @param slots the slots with their attention
     * @param decoding the pictures made again, and the masks
     */
    record Discovery(PositionedSlots slots, SlotDecoding decoding) {}

    /**
     * Describes pictures by slots, and makes them again.
     *
     * @param store where the weights are
     * @param images (B, 3, H, W) in [0, 1]
     * @param draw what the slots' start drew
     * @param iterations how many iterations of attention
     * @param lattice which pixels are made again
     * @param training whether to record a graph for gradients
     * @return slots and decoding
     */
    Discovery discover(
            ParameterStore store,
            NDArray images,
            NDArray draw,
            int iterations,
            PixelLattice lattice,
            boolean training) {
        PositionedSlots grouped = describe(store, images, draw, iterations, training);
        return new Discovery(grouped, decoder.decode(store, grouped, lattice, training));
    }

    /**
     * Describes pictures by slots.
     *
     * @param store where the weights are
     * @param images (B, 3, H, W) in [0, 1]
     * @param draw what the slots' start drew
     * @param iterations how many iterations of attention
     * @param training whether to record a graph for gradients
     * @return slots and where they are
     */
    public PositionedSlots describe(
            ParameterStore store, NDArray images, NDArray draw, int iterations, boolean training) {
        return slotStart.group(
                grouping, scene(store, images, training), draw, iterations, training);
    }

    /** A decoder without weights, as the model of a task has one. */
    public static ShapeAndColourDecoder newDecoder(DiscoveryTask task) {
        DiscoveryLayout layout = task.layout();
        return ShapeAndColourDecoder.builder()
                .setSlotDim(SLOT_DIM)
                .setImageSize(layout.side(), layout.side())
                .optHidden(layout.decoderHidden())
                .build();
    }

    /** What makes pictures of slots. */
    public ShapeAndColourDecoder decoder() {
        return decoder;
    }

    /**
     * Describes pictures by slots, makes them again, and tells what slots attended to.
     *
     * @param store where the weights are
     * @param images (B, 3, H, W) in [0, 1]
     * @param iterations how many iterations of attention, T
     * @return the arrays of slots and decoding by their names, and "attentions" (B, T, K, N)
     */
    NDList trace(ParameterStore store, NDArray images, int iterations) {
        AttentionTrace<PositionedSlots> trace =
                slotStart.trace(
                        grouping, scene(store, images, false), settledDraw(images), iterations);
        PositionedSlots slots = trace.result();
        NDList outputs = decoder.decode(store, slots, PixelLattice.ALL, false).toNDList();
        outputs.addAll(slots.toNDList());
        trace.attentions().setName(AttentionTrace.ATTENTIONS);
        outputs.add(trace.attentions());
        return outputs;
    }

    /** What the slots' start draws where nothing is to vary: the same for a batch of some size. */
    public NDArray settledDraw(NDArray images) {
        return slotStart.draw(images.getManager(), images.getShape().get(0), 0, new Random(0));
    }

    /** The masks of pictures, and how well it makes them again: to be scored. */
    public SceneScoring.Way segmenting(int iterations) {
        return (manager, images) ->
                SceneScoring.Result.of(
                        discover(
                                        new ParameterStore(manager, false),
                                        images,
                                        settledDraw(images),
                                        iterations,
                                        PixelLattice.ALL,
                                        false)
                                .decoding(),
                        images);
    }

    /** The start of every slot, owned by the manager of the images, not by that of the weights. */
    private NDArray begin(NDArray weight, NDArray images) {
        try (NDArray one = weight.reshape(1, 1, SLOT_DIM)) {
            NDArray all = one.broadcast(images.getShape().get(0), slotStart.slots(), SLOT_DIM);
            all.attach(images.getManager());
            return all;
        }
    }

    private SlotStart.Scene scene(ParameterStore store, NDArray images, boolean training) {
        NDList encoded = encoder.forward(store, new NDList(images), training);
        NDArray begin = begin(store.getValue(start, images.getDevice(), training), images);
        return new SlotStart.Scene(
                store, images, new FeatureExtractorOutput(encoded.get(0), encoded.get(1)), begin);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        NDArray images = inputs.head();
        if (inputs.size() == 1) {
            return discover(
                            store,
                            images,
                            settledDraw(images),
                            task.recipe().moreIterations(),
                            PixelLattice.ALL,
                            training)
                    .decoding()
                    .toNDList();
        }
        long[] plan = inputs.get(2).toLongArray();
        PixelLattice lattice = new PixelLattice((int) plan[1], (int) plan[2], (int) plan[3]);
        return discover(store, images, inputs.get(1), (int) plan[0], lattice, training)
                .decoding()
                .toNDList();
    }

    /**
     * What the model is to do, as an input.
     *
     * @param manager the owner
     * @param iterations how many iterations of attention
     * @param lattice which pixels are made again
     * @return (4) int64
     */
    static NDArray plan(NDManager manager, int iterations, PixelLattice lattice) {
        return manager.create(
                new long[] {iterations, lattice.stride(), lattice.row(), lattice.column()});
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        encoder.initialize(manager, type, inputShapes);
        grouping.initialize(manager, type);
        decoder.initialize(manager, type);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        return decoder.getOutputShapes(
                new Shape[] {new Shape(inputShapes[0].get(0), slotStart.slots(), SLOT_DIM)});
    }
}
