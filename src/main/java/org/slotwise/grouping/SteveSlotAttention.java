package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;
import org.slotwise.internal.Scalars;
import org.slotwise.layer.FeedForward;
import org.slotwise.layer.LayerNorm;
import org.slotwise.layer.Linear;
import org.slotwise.layer.Perceptron;
import org.slotwise.layer.StartingValues;
import org.slotwise.position.PositionGrid;
import org.slotwise.weights.DiffusersExport;
import org.slotwise.weights.DiffusersFolder;
import org.slotwise.weights.DiffusionLayouts;
import org.slotwise.weights.StateDict;

/**
 * Slot Attention as Latent Slot Diffusion has it, from STEVE: with the positions and the perceptron
 * that come before it, what slots start from, and what slots go through at the end.
 *
 * <p>Source: the code of Jiang et al., "Object-Centric Slot Diffusion" (2023), {@code
 * MultiHeadSTEVESA}; Singh, Wu and Ahn, "Simple Unsupervised Object-Centric Learning for Complex
 * and Naturalistic Videos" (2022).
 *
 * <pre>{@code
 * x = W2 relu(W1 LayerNorm(features + Wp [p, 1 - p] + bp) + b1) + b2      p: middles of r x r places
 * s = mu + exp(logsigma) noise                                            noise ~ N(0, 1); or s = mu_k, learnt
 * s, a = SlotAttention(x, s)                                              with a feed-forward
 * slots = W LayerNorm(s) + b
 * }</pre>
 *
 * <ul>
 *   <li>features (B, r r, F), row by row, of the parameters' type.
 *   <li>conditioning (B, K, D): s to start from, in place of the block's own; null for those. K is
 *       free; where each slot has learnt values the block's own are as many as it was made for.
 *   <li>objects (B, K, D'), feature attributions (B, K, r r).
 * </ul>
 *
 * <p>How this differs from the source: one image at a time has no time axis; attributions are a
 * mean over heads, where the source's scores take the sum. Queries are scaled by the size of a
 * head, which {@link #read} and {@link #write} account for.
 *
 * <p>Parameters: {@code encoder.positional_embedding.dense.*}, {@code encoder.norm.*}, {@code
 * encoder.mlp.*}, {@code conditioning.*}, {@code grouping.*}, {@code slots.out_layer_norm.*},
 * {@code slots.out_linear.*}. They start as the source's do.
 */
public final class SteveSlotAttention extends GroupingBlock {

    private static final String CONDITIONING = "conditioning";

    private final SteveOptions options;
    private final SlotAttention attention;
    private final Linear place;
    private final LayerNorm norm;
    private final Perceptron perceptron;
    private final Parameter mean;
    private final @Nullable Parameter logDeviation; // null where each slot has learnt values
    private final LayerNorm lastNorm;
    private final Linear last;

    /**
     * Creates the block.
     *
     * @param options its sizes
     */
    public SteveSlotAttention(SteveOptions options) {
        this.options = options;
        int f = options.featureDim();
        int d = options.dim();
        Declarer encoder = declarer().under("encoder");
        place = Linear.of(encoder.under("positional_embedding").under("dense"), 4, f);
        norm = LayerNorm.of(encoder.under("norm"), f);
        perceptron = Perceptron.of(encoder.under("mlp"), f, f, 1, f);
        Declarer starts = declarer().under(CONDITIONING);
        long rows = options.learntStarts() ? options.slots() : 1;
        // As PyTorch's xavier_uniform_ takes (1, rows, D): rows D inputs, D outputs.
        var xavier = StartingValues.xavier(rows * d, d);
        mean =
                starts.other(
                        options.learntStarts() ? "slots" : "slots_mu", xavier, true, 1, rows, d);
        logDeviation =
                options.learntStarts()
                        ? null
                        : starts.other("slots_logsigma", xavier, true, 1, 1, d);
        attention =
                addChildBlock(
                        "grouping",
                        SlotAttention.builder()
                                .setDim(d)
                                .setFeatureDim(f)
                                .optHeads(options.heads())
                                .optIterations(options.iterations())
                                .optEps(options.eps())
                                .optFeedForward(new FeedForward(d, options.hidden()))
                                .build());
        Declarer slots = declarer().under("slots");
        lastNorm = LayerNorm.of(slots.under("out_layer_norm"), d);
        last = Linear.of(slots.under("out_linear"), d, options.outDim());
    }

    /**
     * Reads the block that Latent Slot Diffusion wrote: its folder "slot_attn", in checkpoints
     * "multiheadstevesa".
     *
     * @param folder the folder, with {@code config.json} and the weights
     * @param manager the owner of the parameters, which are float32
     * @return the block, ready for use
     * @throws IOException if a file is missing or damaged, has options that are not supported,
     *     which it names, or weights of other sizes
     */
    public static SteveSlotAttention read(Path folder, NDManager manager) throws IOException {
        DiffusersFolder file = DiffusersFolder.open(folder);
        SteveSlotAttention block;
        try {
            block = new SteveSlotAttention(SteveFolder.read(file));
        } catch (IllegalArgumentException e) {
            throw new IOException(file.path() + ": " + e.getMessage(), e);
        }
        SteveOptions o = block.options;
        SteveFolder.requirePlaces(file, o.side());
        file.loadInto(
                block,
                DiffusionLayouts.latentSlotDiffusionSlots(o.heads(), o.learntStarts()),
                manager,
                new Shape(1, o.places(), o.featureDim()));
        return block;
    }

    /**
     * Writes the block as the authors' code does: a folder with {@code config.json} and the
     * weights, which {@link #read} and their {@code MultiHeadSTEVESA.from_pretrained} read. What is
     * there is replaced when the new one is whole.
     *
     * @param folder where to; its parent must be there
     * @throws IOException if it cannot be written, or there is something else of this name
     * @throws IllegalStateException if the block is not initialised
     */
    public void write(Path folder) throws IOException {
        try (StateDict theirs =
                        DiffusionLayouts.latentSlotDiffusionSlots(
                                        options.heads(), options.learntStarts())
                                .revert(StateDict.of(this));
                NDManager own = mean.getArray().getManager().newSubManager()) {
            StateDict all = SteveFolder.withPlaces(theirs, options.side(), own);
            DiffusersExport.write(folder, SteveFolder.options(options), all);
        }
    }

    /**
     * Its sizes.
     *
     * @return as it was made
     */
    public SteveOptions options() {
        return options;
    }

    /** {@inheritDoc} */
    @Override
    public PerceptualGroupingOutput group(
            ParameterStore parameterStore,
            FeatureExtractorOutput features,
            @Nullable NDArray conditioning,
            boolean training) {
        NDArray x = features.images(who());
        Check.floating(who(), FeatureExtractorOutput.FEATURES, x.getDataType());
        Check.shape(
                who(),
                FeatureExtractorOutput.FEATURES,
                x,
                "B",
                options.places(),
                options.featureDim());
        long batch = x.getShape().get(0);
        if (conditioning != null) {
            Check.shape(who(), CONDITIONING, conditioning, batch, "K", options.dim());
            Check.sameTypeAndDevice(
                    who(), CONDITIONING, conditioning, FeatureExtractorOutput.FEATURES, x);
        }
        NDList out =
                compute(
                        parameterStore,
                        x,
                        training,
                        pass -> {
                            NDArray start = conditioning == null ? drawn(pass, x) : conditioning;
                            PerceptualGroupingOutput found =
                                    attention.group(
                                            pass.store(),
                                            new FeatureExtractorOutput(perceived(pass, x)),
                                            start,
                                            training);
                            NDArray slots = last.apply(pass, lastNorm.apply(pass, found.objects()));
                            return new NDList(slots, found.attributions());
                        });
        return new PerceptualGroupingOutput(out.get(0), out.get(1), null);
    }

    /** What the attention sees of features (B, N, F). */
    private NDArray perceived(Pass pass, NDArray x) {
        int side = options.side();
        NDArray p = PositionGrid.like(x, side, side); // (N, 2), from 0 to 1
        p = p.mul(Scalars.like(p, side - 1)).add(Scalars.like(p, 0.5)).div(Scalars.like(p, side));
        NDArray code = p.concat(Scalars.like(p, 1).sub(p), 1);
        NDArray placed = x.add(place.apply(pass, code));
        return perceptron.apply(pass, norm.apply(pass, placed));
    }

    private NDArray drawn(Pass pass, NDArray x) {
        Shape shape = new Shape(x.getShape().get(0), options.slots(), options.dim());
        NDArray noise =
                logDeviation == null
                        ? x // not looked at
                        : Ops.normal(x.getManager(), x.getDevice(), shape, x.getDataType());
        return start(pass, noise, shape);
    }

    private NDArray start(Pass pass, NDArray noise, Shape shape) {
        NDArray mu = pass.value(mean);
        return logDeviation == null
                ? mu.tile(new long[] {shape.get(0), 1, 1})
                : noise.mul(pass.value(logDeviation).exp()).add(mu);
    }

    /**
     * What slots start from, of noise that is given.
     *
     * @param parameterStore where the parameters' values are
     * @param noise (B, K, D), standard normal numbers; where each slot has learnt values they count
     *     for nothing, and K is the block's
     * @param training whether to record a graph for gradients
     * @return a conditioning (B, K, D), owned by the manager of the noise
     * @throws IllegalArgumentException if the noise has another shape, type or device
     */
    public NDArray starts(ParameterStore parameterStore, NDArray noise, boolean training) {
        Object count = options.learntStarts() ? (Object) options.slots() : "K";
        Check.shape(who(), "noise", noise, "B", count, options.dim());
        Check.floating(who(), "noise", noise.getDataType());
        return compute(
                        parameterStore,
                        noise,
                        training,
                        pass -> new NDList(start(pass, noise, noise.getShape())))
                .head();
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape x = inputShapes[0];
        int n = options.places();
        Check.shape(who(), FeatureExtractorOutput.FEATURES, x, "B", n, options.featureDim());
        long slots = options.slots();
        for (int i = 1; i < inputShapes.length; i++) {
            Shape shape = inputShapes[i];
            if (shape.dimension() == 3 && shape.get(2) == options.dim()) {
                slots = shape.get(1);
            }
        }
        long batch = x.get(0);
        return new Shape[] {new Shape(batch, slots, options.outDim()), new Shape(batch, slots, n)};
    }

    /** {@inheritDoc} */
    @Override
    protected void initializeChildBlocks(
            NDManager manager, DataType dataType, Shape... inputShapes) {
        attention.initialize(
                manager,
                dataType,
                new Shape(-1, options.places(), options.featureDim()),
                new Shape(-1, -1, options.dim()));
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("options", options);
    }
}
