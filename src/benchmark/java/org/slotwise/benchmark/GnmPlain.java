package org.slotwise.benchmark;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.gnm.GnmNoise;
import org.slotwise.gnm.GnmSetting;
import org.slotwise.internal.Script;

/** GNM written plainly in TorchScript, as the original computes it: {@link GnmText}. */
final class GnmPlain {

    private final Script script;
    private final Map<String, NDArray> leaves = new TreeMap<>();

    /** Takes copies of a model's parameters, of which it computes gradients. */
    GnmPlain(
            NDManager manager,
            Map<String, NDArray> weights,
            GnmConfiguration sizes,
            GnmSetting setting) {
        Map<String, String> names = new LinkedHashMap<>();
        weights.keySet().stream()
                .sorted()
                .forEach(
                        name -> {
                            NDArray leaf = weights.get(name).duplicate();
                            leaf.setName(null);
                            leaf.attach(manager);
                            if (!buffer(name)) {
                                leaf.setRequiresGradient(true);
                            }
                            leaves.put(name, leaf);
                            names.put(name, "w" + names.size());
                        });
        script = new Script(GnmText.of(sizes, setting, names));
    }

    /** What is kept with the weights, but not trained. */
    static boolean buffer(String name) {
        return name.startsWith("aux_p_")
                || name.equals("background")
                || name.endsWith(".offset")
                || name.endsWith(".dec_step_0");
    }

    /** By the names of the state dict. */
    Map<String, NDArray> leaves() {
        return leaves;
    }

    /** Loss, likelihood, terms and picture. */
    NDList step(NDArray images, GnmNoise noise) {
        return call(
                "step",
                images,
                noise.background(),
                noise.scene(),
                noise.presence(),
                noise.where(),
                noise.depth(),
                noise.what());
    }

    /** Picture, masks and presence. */
    NDList explain(NDArray images) {
        return call("explain", images);
    }

    private NDList call(String function, NDArray... inputs) {
        List<NDArray> arguments = new ArrayList<>(List.of(inputs));
        arguments.addAll(leaves.values());
        return script.call(function, arguments.toArray(NDArray[]::new));
    }
}
