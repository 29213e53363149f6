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

    /** As PyTorch's Sequential, whose layers have the numbers 0, 2, 4 and so on. */
    ScriptModule script(String who, boolean lastActivation) {
        Check.option(
                activation instanceof ScriptedActivation,
                who + ": this activation cannot be written in TorchScript; it is none of ours");
        ScriptedActivation scripted = (ScriptedActivation) activation;
        ScriptModule.Builder module = ScriptModule.builder("Sequential");
        StringBuilder code = new StringBuilder("def forward(self, x: Tensor) -> Tensor:\n");
        for (int i = 0; i < layers.size(); i++) {
            String name = Integer.toString(2 * i);
            module.module(name, ScriptModule.of(who, layers.get(i)));
            String in = i == 0 ? "x" : scripted.script("x");
            code.append("  x = ").append(ScriptModule.self(name));
            code.append(".forward(").append(in).append(")\n");
        }
        code.append("  return ").append(lastActivation ? scripted.script("x") : "x").append('\n');
        return module.setCode(code.toString()).build();
    }
}
