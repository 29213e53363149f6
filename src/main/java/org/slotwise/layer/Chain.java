package org.slotwise.layer;

import ai.djl.ndarray.NDArray;
import java.util.List;
import java.util.function.UnaryOperator;
import org.slotwise.internal.Check;
import org.slotwise.internal.Pass;
import org.slotwise.torchscript.ScriptModule;
import org.slotwise.torchscript.ScriptedActivation;

/**
 * Layers of which each takes what the one before it gave, after an activation. Of each only its
 * result lives on.
 */
record Chain(
        List<? extends Layer> layers, UnaryOperator<NDArray> activation, boolean convolutions) {

    /** All layers: the first takes x, which stays open. */
    NDArray apply(Pass pass, NDArray x) {
        return after(pass, layers.get(0).apply(pass, x), 1);
    }

    /** The layers from a number on, each after an activation. Closes z. */
    NDArray after(Pass pass, NDArray z, int first) {
        NDArray result = z;
        for (Layer layer : layers.subList(first, layers.size())) {
            try (NDArray x = activate(pass, result)) {
                result = layer.apply(pass, x);
            }
        }
        return result;
    }

    /** The activation of z. Closes z. */
    NDArray activate(Pass pass, NDArray z) {
        if (activation instanceof LeakyRelu relu) {
            return convolutions ? relu.inPlace(z) : relu.ofMap(pass, z);
        }
        NDArray x = activation.apply(z);
        if (x != z) {
            z.close();
        }
        return x;
    }

    /**
     * As PyTorch's Sequential, whose layers have the numbers 0, 2, 4 and so on. Convolutions have a
     * method {@code hidden} besides, which takes what the first of them gave.
     */
    ScriptModule script(String who, boolean lastActivation) {
        Check.option(
                activation instanceof ScriptedActivation,
                who + ": this activation cannot be written in TorchScript; it is none of ours");
        ScriptModule.Builder module = ScriptModule.builder("Sequential");
        for (int i = 0; i < layers.size(); i++) {
            module.module(Integer.toString(2 * i), ScriptModule.of(who, layers.get(i)));
        }
        String code = method("forward", 0, lastActivation);
        return module.setCode(convolutions ? code + method("hidden", 1, lastActivation) : code)
                .build();
    }

    /** A method of the layers from a number on, before each but the first an activation. */
    private String method(String name, int first, boolean lastActivation) {
        StringBuilder code = new StringBuilder("def ");
        code.append(name).append("(self, x: Tensor) -> Tensor:\n");
        for (int i = first; i < layers.size(); i++) {
            code.append("  x = ").append(ScriptModule.self(Integer.toString(2 * i)));
            code.append(".forward(").append(i == 0 ? "x" : activated()).append(")\n");
        }
        return code.append("  return ")
                .append(lastActivation ? activated() : "x")
                .append('\n')
                .toString();
    }

    private String activated() {
        return ((ScriptedActivation) activation).script("x");
    }
}
