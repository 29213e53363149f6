package org.slotwise.weights;

import java.util.List;

/**
 * The names of the paper's own models in Keras, as TensorFlow's checkpoints have them: "{@code
 * mlp/layer_with_weights-0/kernel}". What they are for is said at {@link KnownLayouts}.
 */
final class KerasNames {

    /** More layers than the encoder has. */
    private static final int LAYERS = 16;

    /** The decoder's, of which the first four have a stride of 2. */
    private static final int DECODER_LAYERS = 6;

    private static final int STRIDED = 4;

    private final NameMap.Builder map = NameMap.builder();

    private KerasNames() {}

    static NameMap slotAttention() {
        KerasNames names = new KerasNames();
        names.slotAttention("");
        return names.map.build();
    }

    static NameMap autoEncoder() {
        KerasNames names = new KerasNames();
        names.encoder();
        names.slotAttention("slot_attention/");
        names.decoder();
        return names.map.build();
    }

    private void encoder() {
        for (int i = 0; i < LAYERS; i++) {
            layer(
                    "encoder_cnn/layer_with_weights-" + i,
                    "encoder.backbone.layers." + 2 * i,
                    KerasConversions.convolution());
        }
        dense("encoder_pos/dense", "encoder.positional_embedding.dense");
        layerNorm("layer_norm", "encoder.norm");
        dense("mlp/layer_with_weights-0", "encoder.mlp.0");
        dense("mlp/layer_with_weights-1", "encoder.mlp.2");
    }

    private void slotAttention(String prefix) {
        String gru = prefix + "gru/";
        String ours = "grouping.";
        map.rule(prefix + "slots_mu", "conditioning.slots_mu");
        map.rule(prefix + "slots_log_sigma", "conditioning.slots_logsigma");
        dense(prefix + "project_q", ours + "to_q");
        dense(prefix + "project_k", ours + "to_k");
        dense(prefix + "project_v", ours + "to_v");
        map.rule(gru + "kernel", ours + "gru.weight_ih", KerasConversions.gruKernel());
        map.rule(gru + "recurrent_kernel", ours + "gru.weight_hh", KerasConversions.gruKernel());
        map.rule(
                gru + "bias",
                List.of(ours + "gru.bias_ih", ours + "gru.bias_hh"),
                KerasConversions.gruBias());
        layerNorm(prefix + "norm_inputs", ours + "norm_input");
        layerNorm(prefix + "norm_slots", ours + "norm_slots");
        layerNorm(prefix + "norm_mlp", ours + "ff_mlp.module.0");
        dense(prefix + "mlp/layer_with_weights-0", ours + "ff_mlp.module.1");
        dense(prefix + "mlp/layer_with_weights-1", ours + "ff_mlp.module.3");
    }

    private void decoder() {
        dense("decoder_pos/dense", "decoder.positional_embedding.dense");
        Conversion transposed = KerasConversions.transposedConvolution();
        for (int i = 0; i < DECODER_LAYERS; i++) {
            layer(
                    "decoder_cnn/layer_with_weights-" + i,
                    "decoder.decoder." + 2 * i,
                    i < STRIDED ? KerasConversions.shifted(transposed) : transposed);
        }
    }

    private void dense(String theirs, String ours) {
        layer(theirs, ours, KerasConversions.dense());
    }

    private void layer(String theirs, String ours, Conversion conversion) {
        map.rule(theirs + "/kernel", ours + ".weight", conversion);
        map.rule(theirs + "/bias", ours + ".bias");
    }

    private void layerNorm(String theirs, String ours) {
        map.rule(theirs + "/gamma", ours + ".weight");
        map.rule(theirs + "/beta", ours + ".bias");
    }
}
