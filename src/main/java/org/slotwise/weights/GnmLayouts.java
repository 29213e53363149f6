package org.slotwise.weights;

import java.util.List;

/**
 * The names of implementations of GNM, for {@link NameMap}; ours, of {@code org.slotwise.gnm.Gnm},
 * are those of HHousen's {@code object-discovery-pytorch}.
 *
 * <pre>{@code
 * try (StateDict file = StateDict.read(Path.of("epoch=9-step=223723.ckpt"))) {
 *     GnmLayouts.objectDiscoveryPytorch().apply(file).loadInto(gnm);
 * }
 * GnmLayouts.objectDiscoveryPytorch().revert(StateDict.of(gnm)).write(Path.of("gnm.safetensors"));
 * }</pre>
 *
 * <p>What a file does not say, and must be as in the configuration: sigma, strides, groups of
 * normalisations, and whether objects overlap.
 */
public final class GnmLayouts {

    private static final List<String> PARTS =
            List.of(
                    "global_struct_draw",
                    "p_z_given_x_or_g_net",
                    "local_latent_sampler",
                    "p_bg_decoder",
                    "p_bg_given_g_net",
                    "q_bg_given_x_net");

    private static final List<String> KEPT =
            List.of(
                    "aux_p_what_mean",
                    "aux_p_what_std",
                    "aux_p_bg_mean",
                    "aux_p_bg_std",
                    "aux_p_depth_mean",
                    "aux_p_depth_std",
                    "aux_p_where_mean",
                    "aux_p_where_std",
                    "aux_p_pres_probs",
                    "background");

    private GnmLayouts() {}

    /**
     * HHousen's {@code object-discovery-pytorch}, Lightning checkpoints: the model is under
     * "model.".
     *
     * @return the map
     */
    public static NameMap objectDiscoveryPytorch() {
        return named("model.", "img_encoder").build();
    }

    /**
     * The authors' code: the encoder has one name more, and the network of the cells is there
     * twice. Its second names are dropped, and missing in what is written back.
     *
     * @return the map
     */
    public static NameMap original() {
        return named("", "img_encoder.enc").drop("p_z_given_g_net.*").build();
    }

    private static NameMap.Builder named(String prefix, String encoder) {
        NameMap.Builder map = NameMap.builder().rule(prefix + encoder + ".*", "img_encoder.*");
        PARTS.forEach(part -> map.rule(prefix + part + ".*", part + ".*"));
        KEPT.forEach(kept -> map.rule(prefix + kept, kept));
        return map;
    }
}
