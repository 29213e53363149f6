package org.slotwise.testing;

import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.ParameterStore;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.slotwise.internal.ConfiguredBlock;
import org.slotwise.internal.Declarer;
import org.slotwise.internal.Options;
import org.slotwise.internal.Pass;

/**
 * A block of a few layers and inputs, for tests of what takes more than one array. It gives one, of
 * the first input's shape.
 */
public final class EquationBlock extends ConfiguredBlock {

    private final BiFunction<Pass, NDList, NDList> equations;

    /** Declares layers, and gives equations on them. */
    public EquationBlock(Function<Declarer, BiFunction<Pass, NDList, NDList>> made) {
        equations = made.apply(declarer());
    }

    @Override
    protected NDList outputs(ParameterStore parameterStore, NDList inputs, boolean training) {
        return compute(
                parameterStore, inputs.head(), training, pass -> equations.apply(pass, inputs));
    }

    @Override
    protected Shape[] outputShapes(Shape[] inputShapes) {
        return new Shape[] {inputShapes[0]};
    }

    @Override
    protected Options configuration() {
        return Options.none();
    }
}
