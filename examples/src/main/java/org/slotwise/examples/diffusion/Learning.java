package org.slotwise.examples.diffusion;

import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import java.util.List;

/** What of a block learns. */
final class Learning {

    private Learning() {}

    /** The parameters that are trained. */
    static List<Parameter> parameters(Block block) {
        return block.getParameters().values().stream().filter(Parameter::requiresGradient).toList();
    }
}
