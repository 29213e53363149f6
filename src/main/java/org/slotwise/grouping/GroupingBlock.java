package org.slotwise.grouping;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.training.ParameterStore;
import org.slotwise.internal.ConfiguredBlock;

/**
 * What every grouping of this package does as a DJL block: it tells the arrays of an {@link NDList}
 * apart by name or by order ({@link PerceptualGrouping}), and gives a list for what it found.
 */
public abstract class GroupingBlock extends ConfiguredBlock implements PerceptualGrouping {

    GroupingBlock() {}

    /** The names of what the block takes, in order. */
    String[] inputNames() {
        return this instanceof MaskedGrouping
                ? GroupingInputs.MASKED
                : GroupingInputs.FEATURES_AND_CONDITIONING;
    }

    /** Tells the arrays of a list apart. */
    GroupingInputs inputs(NDList list) {
        return GroupingInputs.parse(who(), list, inputNames());
    }

    /** Groups what came in a list. */
    PerceptualGroupingOutput group(
            ParameterStore parameterStore, GroupingInputs in, boolean training) {
        NDArray mask = in.get(GroupingInputs.SLOT_MASK);
        return this instanceof MaskedGrouping masked
                ? masked.group(parameterStore, in.extracted(), in.conditioning(), mask, training)
                : group(parameterStore, in.extracted(), in.conditioning(), training);
    }

    /** {@inheritDoc} */
    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return group(parameterStore, inputs(inputs), training).toNDList();
    }
}
