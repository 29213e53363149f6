package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import org.slotwise.internal.Check;
import org.slotwise.internal.NoGraph;
import org.slotwise.internal.Scalars;

/**
 * When a slot of {@link StickBreakingGrouping} counts as empty, and what follows from it.
 *
 * <p>Source: the termination criteria of {@code ocl.perceptual_grouping.StickBreakingGrouping}.
 *
 * <pre>{@code
 * empty_k = mean over features of scope_k < maxUnexplained
 *        or mean over features of mask_k  < minSlotMask
 *        or max over features of mask_k   < minMaxMaskValue
 * earlyTermination: every slot after the first empty one is empty, too
 * addUnexplained:   the first empty slot takes the scope as its mask and is not empty
 * }</pre>
 *
 * <p>A bound of 0, the default, never makes a slot empty.
 */
public final class StoppingRule {

    /** The rule by which no slot is ever empty. */
    static final StoppingRule NEVER = builder().build();

    private final double maxUnexplained;
    private final double minSlotMask;
    private final double minMaxMaskValue;
    private final boolean earlyTermination;
    private final boolean addUnexplained;

    private StoppingRule(Builder builder) {
        maxUnexplained = builder.maxUnexplained;
        minSlotMask = builder.minSlotMask;
        minMaxMaskValue = builder.minMaxMaskValue;
        earlyTermination = builder.earlyTermination;
        addUnexplained = builder.addUnexplained;
    }

    /** Whether a slot is set aside for what the others leave unexplained. */
    boolean addsUnexplained() {
        return addUnexplained;
    }

    /** Masks (B, K, N), and which slots are empty (B, K). */
    record Verdict(NDArray masks, NDArray isEmpty) {}

    /**
     * Applies the rule.
     *
     * @param masks (B, K, N)
     * @param logScopes logarithm of what was unexplained before each slot, (B, K, N)
     */
    Verdict apply(NDArray masks, NDArray logScopes) {
        NDArray empty = NoGraph.during(() -> tooSmall(masks, logScopes));
        if (!earlyTermination) {
            return new Verdict(masks, empty);
        }
        // How many slots were empty up to each, itself included.
        NDArray count = empty.toType(DataType.INT32, false).cumSum(1).toType(DataType.INT32, false);
        NDArray none = Scalars.like(count, 0);
        NDArray one = Scalars.like(count, 1);
        if (!addUnexplained) {
            return new Verdict(masks, count.gt(none));
        }
        // Without an empty slot there is no first one, and the masks stay.
        NDArray first = empty.logicalAnd(count.eq(one));
        NDArray later = count.gt(none).logicalAnd(first.logicalNot());
        NDArray atFirst = first.expandDims(2).broadcast(masks.getShape());
        return new Verdict(NDArrays.where(atFirst, logScopes.exp(), masks), later);
    }

    /** Which slots are empty by one of the bounds, (B, K). */
    private NDArray tooSmall(NDArray masks, NDArray logScopes) {
        int[] features = {2};
        Shape shape = new Shape(masks.getShape().get(0), masks.getShape().get(1));
        NDArray empty = Scalars.full(masks, shape, 0, DataType.BOOLEAN);
        if (minSlotMask > 0) {
            empty = empty.logicalOr(below(masks.mean(features), minSlotMask));
        }
        if (maxUnexplained > 0) {
            empty = empty.logicalOr(below(logScopes.exp().mean(features), maxUnexplained));
        }
        if (minMaxMaskValue > 0) {
            empty = empty.logicalOr(below(masks.max(features), minMaxMaskValue));
        }
        return empty;
    }

    /**
     * The bounds in TorchScript: a method {@code empty(masks, log_scopes)} that gives (B, K).
     *
     * @throws IllegalArgumentException if more than a slot's own mask and scope decides
     */
    String script() {
        Check.option(
                !earlyTermination,
                "StoppingRule: earlyTermination cannot be written in TorchScript");
        return """
                def empty(self, masks: Tensor, log_scopes: Tensor) -> Tensor:
                  small = torch.lt(torch.mean(masks, [2]), %s)
                  little = torch.lt(torch.mean(torch.exp(log_scopes), [2]), %s)
                  faint = torch.lt(torch.amax(masks, [2]), %s)
                  return torch.logical_or(torch.logical_or(small, little), faint)
                """
                .formatted(minSlotMask, maxUnexplained, minMaxMaskValue);
    }

    private static NDArray below(NDArray value, double bound) {
        return value.lt(Scalars.like(value, bound));
    }

    /**
     * Starts the description of a rule.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Describes a {@link StoppingRule}. */
    public static final class Builder {
        private double maxUnexplained;
        private double minSlotMask;
        private double minMaxMaskValue;
        private boolean earlyTermination;
        private boolean addUnexplained;

        private Builder() {}

        /**
         * Sets the share of the image below which the unexplained rest is too little for a slot.
         *
         * @param maxUnexplained in [0, 1); 0 if not set
         * @return this
         */
        public Builder optMaxUnexplained(double maxUnexplained) {
            this.maxUnexplained = maxUnexplained;
            return this;
        }

        /**
         * Sets the mean of a mask below which its slot is empty.
         *
         * @param minSlotMask in [0, 1); 0 if not set
         * @return this
         */
        public Builder optMinSlotMask(double minSlotMask) {
            this.minSlotMask = minSlotMask;
            return this;
        }

        /**
         * Sets the largest value of a mask below which its slot is empty.
         *
         * @param minMaxMaskValue in [0, 1); 0 if not set
         * @return this
         */
        public Builder optMinMaxMaskValue(double minMaxMaskValue) {
            this.minMaxMaskValue = minMaxMaskValue;
            return this;
        }

        /**
         * Sets whether every slot after the first empty one is empty.
         *
         * @param earlyTermination false if not set
         * @return this
         */
        public Builder optEarlyTermination(boolean earlyTermination) {
            this.earlyTermination = earlyTermination;
            return this;
        }

        /**
         * Sets whether the first empty slot takes what is unexplained at that point. One of the
         * slots is then kept free for it: when no slot is empty, the last one takes the rest.
         *
         * @param addUnexplained false if not set; true needs early termination
         * @return this
         */
        public Builder optAddUnexplained(boolean addUnexplained) {
            this.addUnexplained = addUnexplained;
            return this;
        }

        /**
         * Builds the rule.
         *
         * @return the rule
         * @throws IllegalArgumentException if an option is out of range, or the unexplained is to
         *     be added without early termination
         */
        public StoppingRule build() {
            share("maxUnexplained", maxUnexplained);
            share("minSlotMask", minSlotMask);
            share("minMaxMaskValue", minMaxMaskValue);
            Check.option(
                    earlyTermination || !addUnexplained,
                    "StoppingRule: addUnexplained needs earlyTermination");
            return new StoppingRule(this);
        }

        private static void share(String name, double value) {
            Check.option(
                    value >= 0 && value < 1,
                    "StoppingRule: " + name + " must be in [0, 1), got " + value);
        }
    }
}
