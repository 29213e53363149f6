package org.slotwise.weights;

import ai.djl.ndarray.types.Shape;

/**
 * The names and layouts of other implementations of Slot Attention, for {@link NameMap}.
 *
 * <p>Here the parts of a model are "encoder", "conditioning", "grouping" and "decoder":
 *
 * <pre>{@code
 * KnownLayouts.oclf().apply(checkpoint).loadInto(Map.of(
 *         "encoder", encoder,
 *         "conditioning", conditioning,
 *         "grouping", attention,
 *         "decoder", decoder));
 * }</pre>
 *
 * <p>Each map goes both ways. Which options the blocks need to compute the same is said at each.
 */
public final class KnownLayouts {

    /** The convolutions of HHousen's encoder, and the strided ones of his decoder. */
    private static final int TORCH_LAYERS = 4;

    private static final String OCLF_EXTRACTOR = "models.feature_extractor.";

    private KnownLayouts() {}

    /**
     * OCLF's extractors of Slot Attention and of SAVi have the same names, but the second has no
     * ReLU after its last layer. They are told apart by their channels, 64 and 32; the larger one
     * of SAVi by its names.
     */
    private static NameMap.Builder oclfExtractor(String ours) {
        NameMap.Builder map = larger(NameMap.builder());
        return map.rule(
                OCLF_EXTRACTOR + "layers.0.weight",
                ours + "layers.0.weight",
                new RefusedShape(
                        new Shape(32, 3, 5, 5),
                        "as in OCLF's SAViFeatureExtractor, which has no ReLU after its last"
                                + " layer: read it by KnownLayouts.oclfSavi() into a"
                                + " ConvolutionalEncoder with optLastActivation(false)"));
    }

    private static NameMap.Builder larger(NameMap.Builder map) {
        for (int layer = 1; layer < 8; layer += 2) {
            map.refuse(
                    OCLF_EXTRACTOR + "layers." + layer + ".*",
                    "is of OCLF's SAViFeatureExtractor with larger_input_arch, whose zeros around"
                            + " the image ConvolutionalEncoder lacks: export it to TorchScript, for"
                            + " PretrainedBackbone");
        }
        return map;
    }

    /**
     * Whole Slot Attention models of the Object-Centric Learning Framework, as its experiments
     * {@code slot_attention/*} configure them: Lightning checkpoints, whose names begin with
     * "models.".
     *
     * <ul>
     *   <li>encoder: {@code SlotAttentionEncoder} with the backbone {@code ConvolutionalEncoder}.
     *       It holds OCLF's positional embedding and the perceptron after it. Weights of {@code
     *       SAViFeatureExtractor}, which have the same names, are refused: see {@link #oclfSavi}.
     *   <li>conditioning: any of {@code org.slotwise.conditioning}, with {@code optQuasiRandom} for
     *       {@code RandomConditioningWithQMCSampling}.
     *   <li>grouping: {@code SlotAttention}, with the options that the configuration has: there
     *       {@code optKvqDim(128)} and {@code optFeedForward(new FeedForward(64, 128))}.
     *   <li>decoder: {@code SpatialBroadcastDecoder}; its grid is not a parameter here.
     * </ul>
     *
     * <p>What the file does not say, and must be as in the configuration: heads, iterations, eps
     * and implicit differentiation of {@code SlotAttention}; strides of the decoder, its first
     * size, 8 x 8, and {@code final_activation}, which must be the identity; activations of
     * perceptrons other than ReLU, which have no place here.
     *
     * @return the map
     */
    public static NameMap oclf() {
        String grouping = "models.perceptual_grouping.";
        String embedding = grouping + "positional_embedding.layers.";
        return oclfExtractor("encoder.backbone.")
                .rule("models.feature_extractor.layers.*", "encoder.backbone.layers.*")
                .rule(embedding + "0.dense.*", "encoder.positional_embedding.dense.*")
                .rule(embedding + "1.0.*", "encoder.norm.*")
                .rule(embedding + "1.1.*", "encoder.mlp.0.*")
                .rule(embedding + "1.3.*", "encoder.mlp.2.*")
                .rule("models.conditioning.*", "conditioning.*")
                .rule(grouping + "slot_attention.*", "grouping.*")
                .rule("models.object_decoder.decoder.*", "decoder.decoder.*")
                .rule(
                        "models.object_decoder.positional_embedding.dense.*",
                        "decoder.positional_embedding.dense.*")
                .drop("models.object_decoder.grid")
                .drop("losses.*")
                .drop("training_metrics.*")
                .drop("evaluation_metrics.*")
                .build();
    }

    /**
     * Other models of the Object-Centric Learning Framework, module by module: {@code
     * models.feature_extractor} becomes "encoder", {@code models.perceptual_grouping} "grouping",
     * {@code models.object_decoder} "decoder"; other modules keep their names without "models.".
     *
     * <p>What the file does not say must be as in the configuration, with the options of each
     * block: heads, iterations, eps, stopping rules, widths of kernels that are not learnt,
     * strides, activations. Weights of {@code SAViFeatureExtractor} are refused: see {@link
     * #oclfSavi}.
     *
     * @return the map
     */
    public static NameMap oclfModules() {
        return oclfExtractor("encoder.")
                .drop("models.object_decoder.grid")
                .rule("models.feature_extractor.*", "encoder.*")
                .rule("models.perceptual_grouping.*", "grouping.*")
                .rule("models.object_decoder.*", "decoder.*")
                .rule("models.*", "*")
                .drop("losses.*")
                .drop("training_metrics.*")
                .drop("evaluation_metrics.*")
                .build();
    }

    /**
     * Models of SAVi of the Object-Centric Learning Framework, as its experiments {@code SAVi/*}
     * configure them with the smaller architecture, module by module: {@code
     * models.feature_extractor} becomes "encoder", {@code models.perceptual_grouping.module}
     * "grouping", {@code models.object_decoder} "decoder"; other modules keep their names without
     * "models.".
     *
     * <ul>
     *   <li>encoder: {@code ConvolutionalEncoder} with {@code optChannels(32, 32, 32, 32)} and
     *       {@code optLastActivation(false)}. With a ReLU after the last layer the same weights
     *       load, and the features are wrong. That of the larger architecture is refused.
     *   <li>grouping: {@code SlotAttentionGrouping} without a feed-forward, with OCLF's positional
     *       embedding in the form of SAVi.
     *   <li>decoder: layers with the strides that the configuration has, which the file does not
     *       say.
     * </ul>
     *
     * @return the map
     */
    public static NameMap oclfSavi() {
        return larger(NameMap.builder())
                .drop("models.object_decoder.grid")
                .rule("models.feature_extractor.*", "encoder.*")
                .rule("models.perceptual_grouping.module.*", "grouping.*")
                .rule("models.object_decoder.*", "decoder.*")
                .rule("models.*", "*")
                .drop("losses.*")
                .drop("training_metrics.*")
                .drop("evaluation_metrics.*")
                .build();
    }

    /**
     * The {@code SlotAttention} of lucidrains' {@code slot-attention}, old and new names. Written
     * back it has the new ones.
     *
     * <ul>
     *   <li>conditioning: {@code RandomConditioning}. Old versions learn a deviation, of which the
     *       logarithm is taken.
     *   <li>grouping: {@code SlotAttention} with features of size D and {@code new FeedForward(D,
     *       max(D, hidden))}; in newer versions with {@code optProjectionBias(true)}.
     * </ul>
     *
     * <p>The computation is that of one head here: softmax over slots, then eps, 1e-8, then
     * division by the sum over features. Its {@code MultiHeadSlotAttention} is refused: the softmax
     * of each head is over slots alone, here over slots and heads. So are the versions of the first
     * half hour, which weighted features otherwise and have an array "slots". The file does not say
     * how many iterations there were, and which eps if it was set.
     *
     * @return the map
     */
    public static NameMap lucidrains() {
        return NameMap.builder()
                .refuse("combine_heads.*", "is of several heads that do not compete: not supported")
                .rule("slots_mu", "conditioning.slots_mu")
                .rule("slots_logsigma", "conditioning.slots_logsigma")
                .alias("slots_sigma", "conditioning.slots_logsigma", Conversion.logarithm())
                .alias("gru.*_l0", "grouping.gru.*", Conversion.none())
                .rules(torchSlotAttention("to_", "norm_input", "norm_pre_ff"))
                .alias("mlp.fn.norm.*", "grouping.ff_mlp.module.0.*", Conversion.none())
                .alias("mlp.fn.fn.0.*", "grouping.ff_mlp.module.1.*", Conversion.none())
                .alias("mlp.fn.fn.2.*", "grouping.ff_mlp.module.3.*", Conversion.none())
                .alias("fc1.*", "grouping.ff_mlp.module.1.*", Conversion.none())
                .alias("fc2.*", "grouping.ff_mlp.module.3.*", Conversion.none())
                .build();
    }

    /**
     * The {@code SlotAttention} of HHousen's {@code object-discovery-pytorch}; in a checkpoint it
     * is under "model.slot_attention.".
     *
     * <ul>
     *   <li>conditioning: {@code RandomConditioning}.
     *   <li>grouping: {@code SlotAttention} with {@code new FeedForward(D, hidden)} and, in
     *       versions whose last iteration alone has gradients, {@code
     *       optImplicitDifferentiation(true)}: they make one iteration more than configured, as
     *       here.
     * </ul>
     *
     * <p>The file does not say which of these versions wrote it, nor how many iterations there
     * were. A perceptron on the inputs is refused. Encoder and decoder: {@link
     * #objectDiscoveryPytorchModel}.
     *
     * @return the map
     */
    public static NameMap objectDiscoveryPytorch() {
        return objectDiscoveryPytorch("");
    }

    private static NameMap objectDiscoveryPytorch(String under) {
        String mean = "conditioning.slots_mu";
        String deviation = "conditioning.slots_logsigma";
        return NameMap.builder()
                .refuse(
                        under + "input_*",
                        "is of a perceptron on the inputs, which SlotAttention lacks")
                .rule(under + "slot_mu", mean)
                .alias(under + "slots_mu", mean, Conversion.none())
                .rule(under + "slot_log_sigma", deviation)
                .alias(under + "slots_log_sigma", deviation, Conversion.none())
                .rules(torchSlotAttention(under, "project_", "norm_inputs", "norm_mlp"))
                .build();
    }

    /**
     * The whole {@code SlotAttentionModel} of HHousen's {@code object-discovery-pytorch}; in a
     * checkpoint it is under "model.".
     *
     * <ul>
     *   <li>encoder: {@code SlotAttentionEncoder} with {@code optNorm(false)} and, as its backbone
     *       {@code ConvolutionalEncoder}, {@code optNegativeSlope(0.01)}.
     *   <li>conditioning and grouping: as for {@link #objectDiscoveryPytorch}.
     *   <li>decoder: {@code SpatialBroadcastDecoder} of the paper's layers, with {@code
     *       optNegativeSlope(0.01)}. Its grids are not parameters here.
     * </ul>
     *
     * <p>Four convolutions, as his model has if not told otherwise. The preset
     * "object-discovery-pytorch" of {@code org.slotwise.model} has these options. Images are from
     * -1 to 1 there.
     *
     * @return the map
     */
    public static NameMap objectDiscoveryPytorchModel() {
        NameMap.Builder map = NameMap.builder();
        for (int i = 0; i < TORCH_LAYERS; i++) {
            map.rule("encoder." + i + ".0.*", "encoder.backbone.layers." + 2 * i + ".*");
        }
        // Of the decoder's layers the last two are one module.
        for (int i = 0; i <= TORCH_LAYERS; i++) {
            map.rule("decoder." + i + ".0.*", "decoder.decoder." + 2 * i + ".*");
        }
        map.rule(
                "decoder." + TORCH_LAYERS + ".2.*",
                "decoder.decoder." + (2 * TORCH_LAYERS + 2) + ".*");
        String attention = "slot_attention.";
        return map.rule("encoder_pos_embedding.dense.*", "encoder.positional_embedding.dense.*")
                .rule("encoder_out_layer.0.*", "encoder.mlp.0.*")
                .rule("encoder_out_layer.2.*", "encoder.mlp.2.*")
                .rule("decoder_pos_embedding.dense.*", "decoder.positional_embedding.dense.*")
                .drop("encoder_pos_embedding.grid")
                .drop("decoder_pos_embedding.grid")
                .rules(objectDiscoveryPytorch(attention))
                .build();
    }

    private static NameMap torchSlotAttention(String to, String inputNorm, String mlpNorm) {
        return torchSlotAttention("", to, inputNorm, mlpNorm);
    }

    private static NameMap torchSlotAttention(
            String under, String to, String inputNorm, String mlpNorm) {
        return NameMap.builder()
                .rule(under + "gru.*", "grouping.gru.*")
                .rule(under + to + "q.*", "grouping.to_q.*")
                .rule(under + to + "k.*", "grouping.to_k.*")
                .rule(under + to + "v.*", "grouping.to_v.*")
                .rule(under + inputNorm + ".*", "grouping.norm_input.*")
                .rule(under + "norm_slots.*", "grouping.norm_slots.*")
                .rule(under + mlpNorm + ".*", "grouping.ff_mlp.module.0.*")
                .rule(under + "mlp.0.*", "grouping.ff_mlp.module.1.*")
                .rule(under + "mlp.2.*", "grouping.ff_mlp.module.3.*")
                .build();
    }

    /**
     * The {@code SlotAttention} layer of the paper's own code, in Keras, by the names of its
     * attributes, as TensorFlow's checkpoints have them: "gru/recurrent_kernel".
     *
     * <ul>
     *   <li>conditioning: {@code RandomConditioning}.
     *   <li>grouping: {@code SlotAttention} with {@code optNormEps(1e-3)} and {@code new
     *       FeedForward(D, hidden, 1e-3)}: Keras' layer normalisation adds 1e-3 to the variance.
     * </ul>
     *
     * @return the map
     */
    public static NameMap kerasSlotAttention() {
        return KerasNames.slotAttention();
    }

    /**
     * The paper's whole auto-encoder for object discovery, in Keras, by the names of its
     * attributes, as TensorFlow's checkpoints have them: "encoder_cnn/layer_with_weights-0/kernel".
     *
     * <ul>
     *   <li>encoder: {@code SlotAttentionEncoder.clevr()}, built with {@code optNormEps(1e-3)}.
     *   <li>conditioning and grouping: as for {@link #kerasSlotAttention}.
     *   <li>decoder: {@code SpatialBroadcastDecoder} of the paper's four transposed layers with a
     *       stride of 2, a kernel of 7 instead of 5 in them, and two with a stride of 1: see {@link
     *       KerasConversions#shifted}.
     * </ul>
     *
     * @return the map
     */
    public static NameMap kerasAutoEncoder() {
        return KerasNames.autoEncoder();
    }
}
