package org.slotwise.examples.sets;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.AbstractBlock;
import ai.djl.nn.Block;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.ParameterStore;
import ai.djl.util.PairList;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.ClevrObject;
import org.slotwise.data.PropertyLayout;
import org.slotwise.decoder.PropertyDecoder;
import org.slotwise.loss.UniformPriorLoss;
import org.slotwise.quantization.QuantizedSlots;
import org.slotwise.quantization.SlotQuantizer;

/**
 * Reads the properties of objects off slots. If slots are made discrete, attributes and presence
 * come from their codes alone, and the position, of which no few codes could tell enough, from the
 * slot as it is. A mixture's position has a perceptron of its own, too.
 *
 * <p>Codes are made of standardised slots: what all slots share would otherwise decide most of the
 * scores, and few codes would ever be used.
 */
final class PropertyHead extends AbstractBlock {

    private static final byte VERSION = 1;
    private static final int HIDDEN = 128;
    private static final int LATENTS = 4;
    private static final int CODES = 16;
    private static final double FIRST_TEMPERATURE = 2;
    private static final double PRIOR_WEIGHT = 0.01;
    private static final PropertyLayout LAYOUT = PropertyLayout.CLEVR;

    private final int dim;
    private final PropertyDecoder decoder;
    private final @Nullable SlotQuantizer quantizer;
    private final @Nullable PropertyDecoder positions;
    private final @Nullable Block standard;

    /**
     * Makes the head.
     *
     * @param dim the size of what is read of a slot
     * @param grouping what made them
     */
    PropertyHead(int dim, PropertyGrouping grouping) {
        super(VERSION);
        this.dim = dim;
        boolean discrete = grouping == PropertyGrouping.DISCRETE;
        boolean apart = discrete || grouping == PropertyGrouping.MIXTURE;
        int told = apart ? LAYOUT.coordinates() : 0;
        decoder =
                addChildBlock(
                        "decoder",
                        PropertyDecoder.builder()
                                .setSlotDim(dim)
                                .setProperties(LAYOUT.length() - told)
                                .optHidden(HIDDEN)
                                .optAttributes(LAYOUT.coordinates() - told, LAYOUT.attributes())
                                .build());
        if (discrete) {
            quantizer =
                    addChildBlock(
                            "quantizer",
                            SlotQuantizer.builder()
                                    .setDim(dim)
                                    .setCodes(CODES)
                                    .optLatents(LATENTS)
                                    .optTemperature(FIRST_TEMPERATURE)
                                    .build());
            standard = addChildBlock("standard", BatchNorm.builder().optAxis(1).build());
        } else {
            quantizer = null;
            standard = null;
        }
        positions =
                apart
                        ? addChildBlock(
                                "positions",
                                PropertyDecoder.builder()
                                        .setSlotDim(dim)
                                        .setProperties(LAYOUT.coordinates())
                                        .optHidden(HIDDEN)
                                        .build())
                        : null;
    }

    /**
     * What is read.
     *
     * @param properties (B, K, 19)
     * @param prior how far codes are from being used alike, (); null if there are none
     */
    record Reading(NDArray properties, @Nullable NDArray prior) {}

    /** What takes part in the annealing of the temperature; null without codes. */
    @Nullable SlotQuantizer quantizer() {
        return quantizer;
    }

    Reading read(ParameterStore store, NDArray slots, boolean training) {
        if (quantizer == null || standard == null) {
            return new Reading(withPositions(store, slots, slots, training), null);
        }
        NDArray flat = slots.reshape(-1, dim);
        NDArray standardised = standard.forward(store, new NDList(flat), training).head();
        QuantizedSlots quantized =
                quantizer.quantize(store, standardised.reshape(slots.getShape()), training);
        NDArray properties = withPositions(store, slots, quantized.slots(), training);
        NDArray prior =
                training
                        ? new UniformPriorLoss("prior", PRIOR_WEIGHT)
                                .evaluate(new NDList(), new NDList(quantized.logits()))
                        : null;
        return new Reading(properties, prior);
    }

    /**
     * Properties of what attributes are read from, with positions of slots where those are apart.
     */
    private NDArray withPositions(
            ParameterStore store, NDArray slots, NDArray attributed, boolean training) {
        NDArray properties = decoder.decode(store, attributed, training);
        return positions == null
                ? properties
                : NDArrays.concat(
                        new NDList(positions.decode(store, slots, training), properties), 2);
    }

    @Override
    protected NDList forwardInternal(
            ParameterStore store,
            NDList inputs,
            boolean training,
            PairList<String, Object> params) {
        return new NDList(read(store, inputs.head(), training).properties());
    }

    @Override
    protected void initializeChildBlocks(NDManager manager, DataType type, Shape... inputShapes) {
        decoder.initialize(manager, type);
        if (quantizer != null && standard != null) {
            standard.initialize(manager, type, new Shape(-1, dim));
            quantizer.initialize(manager, type);
        }
        if (positions != null) {
            positions.initialize(manager, type);
        }
    }

    @Override
    public Shape[] getOutputShapes(Shape[] inputShapes) {
        Shape slots = inputShapes[0];
        return new Shape[] {new Shape(slots.get(0), slots.get(1), ClevrObject.PROPERTIES)};
    }
}
