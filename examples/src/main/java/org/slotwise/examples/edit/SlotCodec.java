package org.slotwise.examples.edit;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Parameter;
import ai.djl.training.ParameterStore;
import ai.djl.training.initializer.ConstantInitializer;
import ai.djl.util.PairList;
import org.slotwise.decoder.PixelLattice;
import org.slotwise.decoder.ShapeAndColourDecoder;
import org.slotwise.decoder.SlotDecoding;
import org.slotwise.examples.discover.DiscoveryModel;
import org.slotwise.examples.discover.DiscoveryTask;
import org.slotwise.quantization.QuantizedSlots;
import org.slotwise.quantization.SlotQuantizer;

/**
 * Makes codes of slots, and pictures of codes and places.
 *
 * <pre>{@code
 * codes = SlotQuantizer((slots - mean) / deviation)       what an object is
 * reconstruction = ShapeAndColourDecoder(codes, P)        and where it is
 * }</pre>
 *
 * <p>Mean and deviation are those of each element over many slots, see {@link #measure}.
 *
 * <p>Inputs: slots (B, K, 64) and their places (B, K, 2); in training, further, which pixels are to
 * be made, as {@link #pixels} gives it. Outputs: those of {@link SlotDecoding}, and the logits of
 * the codes (B, K, L, M).
 */
final class SlotCodec extends AbstractBlock {

    /** The place of the logits among the outputs. */
    static final int LOGITS = 3;

    private static final byte VERSION = 1;
    private static final float SMALLEST = 1e-3f;

    private final Parameter mean;
    private final Parameter deviation;
    private final SlotQuantizer quantizer;
    private final ShapeAndColourDecoder decoder;

    /**
     * Makes a codec without weights.
     *
     * @param task what scenes it is for
     * @param latents how many latents a slot has, a divisor of 64
     * @param codes how many codes a latent has
     */
    SlotCodec(DiscoveryTask task, int latents, int codes) {
        super(VERSION);
        mean = constant("mean", 0);
        deviation = constant("deviation", 1);
        quantizer =
                addChildBlock(
                        "quantizer",
                        SlotQuantizer.builder()
                                .setDim(DiscoveryModel.SLOT_DIM)
                                .optLatents(latents)
                                .setCodes(codes)
                                .build());
        decoder = addChildBlock("decoder", DiscoveryModel.newDecoder(task));
    }

    /** A number for each element of a slot, which is not learnt. */
    private Parameter constant(String name, float value) {
        return addParameter(
                Parameter.builder()
                        .setName(name)
                        .setType(Parameter.Type.OTHER)
                        .optShape(new Shape(DiscoveryModel.SLOT_DIM))
                        .optInitializer(new ConstantInitializer(value))
                        .optRequiresGrad(false)
                        .build());
    }

    /**
     * Measures slots, so that each of their elements has mean 0 and deviation 1 where codes are
     * made of them: what all slots share would else decide which codes are used at all.
     *
     * @param slots (S, K, 64), many of them
     */
    void measure(NDArray slots) {
        try (NDManager manager = slots.getManager().newSubManager()) {
            NDArray rows = slots.reshape(-1, DiscoveryModel.SLOT_DIM);
            rows.attach(manager);
            NDArray centre = rows.mean(new int[] {0});
            NDArray spread = rows.sub(centre).square().mean(new int[] {0}).sqrt();
            mean.getArray().set(new NDIndex(":"), centre);
            deviation.getArray().set(new NDIndex(":"), spread.maximum(SMALLEST));
        }
    }

    /** What makes slots discrete. */
    SlotQuantizer quantizer() {
        return quantizer;
    }

    /** What makes pictures. */
    ShapeAndColourDecoder decoder() {
        return decoder;
    }

    /**
     * Slots as codes, and what is made of them.
     *
     * @param quantized codes, and the slots that are made of them
     * @param decoding the pictures
     */
    record Coded(QuantizedSlots quantized, SlotDecoding decoding) {}

    /**
     * Makes codes of slots, and pictures of the codes.
     *
     * @param store where the weights are
     * @param slots (B, K, 64)
     * @param positions (B, K, 2)
     * @param lattice which pixels are made
     * @param training whether to sample codes and to record a graph for gradients, or to take the
     *     most probable codes
     * @return codes and pictures
     */
    Coded code(
            ParameterStore store,
            NDArray slots,
            NDArray positions,
            PixelLattice lattice,
            boolean training) {
        NDArray centre = store.getValue(mean, slots.getDevice(), false);
        NDArray spread = store.getValue(deviation, slots.getDevice(), false);
        QuantizedSlots quantized =
                quantizer.quantize(store, slots.sub(centre).div(spread), training);
        return new Coded(
                quantized, decoder.decode(store, quantized.slots(), positions, lattice, training));
    }

    /**
     * Makes pictures of codes.
     *
     * @param store where the weights are
     * @param codes what the objects are, (B, K, L) int64
     * @param positions where they are, (B, K, 2)
     * @return pictures and masks
     */
    SlotDecoding draw(ParameterStore store, NDArray codes, NDArray positions) {
        NDArray slots = quantizer.decode(store, codes, false);
        return decoder.decode(store, slots, positions, PixelLattice.ALL, false);
    }

    /**
     * Which pixels are to be made, as an input.
     *
     * @param manager the owner
     * @param lattice the pixels
     * @return (3) int64
     */
    static NDArray pixels(NDManager manager, PixelLattice lattice) {
        return manager.create(new long[] {lattice.stride(), lattice.row(), lattice.column()});
    }

    private static PixelLattice lattice(NDArray pixels) {
        long[] numbers = pixels.toLongArray();
        return new PixelLattice((int) numbers[0], (int) numbers[1], (int) numbers[2]);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        PixelLattice lattice = inputs.size() == 2 ? PixelLattice.ALL : lattice(inputs.get(2));
        Coded coded = code(store, inputs.get(0), inputs.get(1), lattice, training);
        NDList outputs = coded.decoding().toNDList();
        outputs.add(coded.quantized().logits());
        return outputs;
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        quantizer.initialize(manager, type);
        decoder.initialize(manager, type);
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        Shape[] made = decoder.getOutputShapes(new Shape[] {slots});
        Shape logits = quantizer.getOutputShapes(new Shape[] {slots})[2];
        return new Shape[] {made[0], made[1], made[2], logits};
    }
}
