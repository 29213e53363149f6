package org.slotwise.conditioning;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import org.jspecify.annotations.Nullable;
import org.slotwise.internal.Check;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Ops;
import org.slotwise.internal.Options;
import org.slotwise.layer.Perceptron;

/**
 * Slots that start from where the objects are in the first frame: from boxes or centres of mass.
 *
 * <p>Source: Kipf et al., "Conditional Object-Centric Learning from Video" (2022), section 3.2 and
 * appendix, where a perceptron with 256 hidden units makes slots of size 128.
 *
 * <pre>{@code
 * s = W2 relu(W1 c + b1) + b2                      c = -1 for slots without an object
 * }</pre>
 *
 * <ul>
 *   <li>coordinates c (B, K, P): centres (y, x) with P = 2, boxes (y1, x1, y2, x2) with P = 4;
 *       meant to be in [0, 1], which is not checked. Of the parameters' type.
 *   <li>missing (B, K) boolean, optional: true for slots without an object. What their coordinates
 *       are, NaN included, does not matter.
 *   <li>slots (B, K, D).
 * </ul>
 *
 * <p>On {@link NDList}s it takes coordinates and, optionally, missing, in this order or by the
 * names "coordinates" and "missing", and returns one array named "conditioning". It is no {@link
 * Conditioning}: without coordinates there is nothing to start from.
 *
 * <p>Parameters: {@code mlp.0.weight} (hidden, P), {@code mlp.0.bias}, {@code mlp.2.weight} (D,
 * hidden), {@code mlp.2.bias}; they start as PyTorch's Linear does.
 */
public final class CoordinateConditioning extends ConfiguredBlock {

    /** The name of the coordinates in an {@link NDList}. */
    public static final String COORDINATES = "coordinates";

    /** The name of the mask of missing objects in an {@link NDList}. */
    public static final String MISSING = "missing";

    private static final double NO_OBJECT = -1;

    private final int dim;
    private final int coordinates;
    private final int hidden;
    private final Perceptron perceptron;

    private CoordinateConditioning(Builder builder) {
        dim = builder.dim;
        coordinates = builder.coordinates;
        hidden = builder.hidden;
        perceptron = Perceptron.of(declarer().under("mlp"), coordinates, hidden, 1, dim);
    }

    /**
     * The size of a slot.
     *
     * @return D
     */
    public int dim() {
        return dim;
    }

    /**
     * Makes slots of coordinates.
     *
     * @param parameterStore where the parameters' values are
     * @param coordinates (B, K, P), of the parameters' type
     * @param missing (B, K) boolean, true for slots without an object; null for none
     * @param training whether to record a graph for gradients
     * @return (B, K, D), owned by the manager of the coordinates
     * @throws IllegalArgumentException if an input has another shape, type or device
     */
    public NDArray encode(
            ParameterStore parameterStore,
            NDArray coordinates,
            @Nullable NDArray missing,
            boolean training) {
        Check.shape(who(), COORDINATES, coordinates, "B", "K", this.coordinates);
        if (missing != null) {
            Shape shape = coordinates.getShape();
            Check.shape(who(), MISSING, missing, shape.get(0), shape.get(1));
            Check.type(who(), MISSING, missing, DataType.BOOLEAN, "");
            Check.sameDevice(who(), MISSING, missing, COORDINATES, coordinates);
        }
        NDArray slots =
                compute(
                                parameterStore,
                                coordinates,
                                training,
                                pass ->
                                        new NDList(
                                                perceptron.apply(
                                                        pass, filled(coordinates, missing))))
                        .head();
        slots.setName(Conditioning.CONDITIONING);
        return slots;
    }

    private static NDArray filled(NDArray coordinates, @Nullable NDArray missing) {
        return missing == null
                ? coordinates
                : Ops.maskedFill(coordinates, missing.expandDims(2), NO_OBJECT);
    }

    /** {@inheritDoc} */
    @Override
    protected String inputName() {
        return COORDINATES;
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        NDArray first = input(inputs, COORDINATES, MISSING, 0);
        NDArray second = input(inputs, MISSING, COORDINATES, 1);
        return new NDList(
                encode(parameterStore, Check.present(who(), COORDINATES, first), second, training));
    }

    /** The array of a name or, if none has it, the one at a place that has not the other's name. */
    private static @Nullable NDArray input(NDList list, String name, String other, int place) {
        for (NDArray array : list) {
            if (name.equals(array.getName())) {
                return array;
            }
        }
        boolean there = place < list.size() && !other.equals(list.get(place).getName());
        return there ? list.get(place) : null;
    }

    /** {@inheritDoc} */
    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        Shape shape = inputShapes[0];
        Check.shape(who(), COORDINATES, shape, "B", "K", coordinates);
        return new Shape[] {new Shape(shape.get(0), shape.get(1), dim)};
    }

    /** {@inheritDoc} */
    @Override
    protected Options configuration() {
        return Options.of("dim", dim).and("coordinates", coordinates).and("hidden", hidden);
    }

    /**
     * Starts the description of a conditioning by coordinates.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link CoordinateConditioning}. */
    public static final class Builder {
        private int dim;
        private int coordinates = 4;
        private int hidden = 256;

        private Builder() {}

        /**
         * Sets the size of a slot, D.
         *
         * @param dim at least 1
         * @return this
         */
        public Builder setDim(int dim) {
            this.dim = dim;
            return this;
        }

        /**
         * Sets how many coordinates a slot has, P.
         *
         * @param coordinates 4 for boxes, 2 for centres; 4 if not set
         * @return this
         */
        public Builder optCoordinates(int coordinates) {
            this.coordinates = coordinates;
            return this;
        }

        /**
         * Sets the size of the hidden layer.
         *
         * @param hidden at least 1; 256 if not set, as in the paper
         * @return this
         */
        public Builder optHidden(int hidden) {
            this.hidden = hidden;
            return this;
        }

        /**
         * Builds the block.
         *
         * @return the block
         * @throws IllegalArgumentException if an option is missing or out of range
         */
        public CoordinateConditioning build() {
            String who = "CoordinateConditioning";
            Check.atLeast(who, "dim", dim, 1);
            Check.atLeast(who, "coordinates", coordinates, 1);
            Check.atLeast(who, "hidden", hidden, 1);
            return new CoordinateConditioning(this);
        }
    }
}
