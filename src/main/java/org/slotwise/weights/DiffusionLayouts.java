package org.slotwise.weights;

import org.slotwise.internal.Check;
import org.slotwise.internal.Limits;

/**
 * The names of networks of latent diffusion, for {@link NameMap}; ours are those of diffusers.
 *
 * <pre>{@code
 * try (StateDict file = StateDict.read(Path.of("diffusion_pytorch_model.safetensors"))) {
 *     DiffusionLayouts.diffusers().apply(file).loadInto(autoencoder);
 * }
 * DiffusionLayouts.compVisUNet(2, false, true, true, true).revert(StateDict.of(unet));
 * }</pre>
 */
public final class DiffusionLayouts {

    private static final String WHO = "DiffusionLayouts";

    private DiffusionLayouts() {}

    /**
     * diffusers, {@code diffusion_pytorch_model.safetensors} or {@code .bin}: today's names, which
     * are ours, and those that attention had in older files: {@code query}, {@code key}, {@code
     * value}, {@code proj_attn}. Written back, today's.
     *
     * <p>Latent Slot Diffusion's networks have these names, too: {@code
     * UNet2DConditionModelWithPos}, {@code UNetEncoder}.
     *
     * @return the map
     */
    public static NameMap diffusers() {
        return NameMap.builder()
                .alias("*.attentions.0.query.*", "*.attentions.0.to_q.*", Conversion.pointwise())
                .alias("*.attentions.0.key.*", "*.attentions.0.to_k.*", Conversion.pointwise())
                .alias("*.attentions.0.value.*", "*.attentions.0.to_v.*", Conversion.pointwise())
                .alias(
                        "*.attentions.0.proj_attn.*",
                        "*.attentions.0.to_out.0.*",
                        Conversion.pointwise())
                .optKeepOthers(true)
                .build();
    }

    /**
     * The U-Net of CompVis' code, as SlotDiffusion has it, for {@code org.slotwise.unet.UNet} of
     * the same sizes.
     *
     * @param blocks how many residual blocks a level has on the way down
     * @param attention whether a level has transformers, for each level
     * @return the map
     * @throws IllegalArgumentException if there is no level or no block
     */
    public static NameMap compVisUNet(int blocks, boolean... attention) {
        int levels = attention.length;
        Limits.count(WHO, "levels", levels, 1, 16);
        Limits.count(WHO, "blocks", blocks, 1, Limits.LAYERS);
        NameMap.Builder map =
                NameMap.builder()
                        .rule("time_embed.0.*", "time_embedding.linear_1.*")
                        .rule("time_embed.2.*", "time_embedding.linear_2.*")
                        .rule("input_blocks.0.0.*", "conv_in.*");
        int number = 1;
        for (int i = 0; i < levels; i++) {
            String level = "down_blocks." + i;
            for (int j = 0; j < blocks; j++) {
                stage(map, "input_blocks." + number++, level, j, attention[i]);
            }
            if (i < levels - 1) {
                String half = "input_blocks." + number++ + ".0.op.*";
                map.rule(half, level + ".downsamplers.0.conv.*");
            }
        }
        residual(map, "middle_block.0", "mid_block.resnets.0");
        map.rule("middle_block.1.*", "mid_block.attentions.0.*");
        residual(map, "middle_block.2", "mid_block.resnets.1");
        number = 0;
        for (int i = levels - 1; i >= 0; i--) {
            String level = "up_blocks." + (levels - 1 - i);
            for (int j = 0; j <= blocks; j++) {
                String stage = "output_blocks." + number++;
                if (j == blocks && i > 0) {
                    String twice = stage + (attention[i] ? ".2" : ".1") + ".conv.*";
                    map.rule(twice, level + ".upsamplers.0.conv.*");
                }
                stage(map, stage, level, j, attention[i]);
            }
        }
        return map.rule("out.0.*", "conv_norm_out.*").rule("out.2.*", "conv_out.*").build();
    }

    private static void stage(
            NameMap.Builder map, String theirs, String level, int number, boolean attention) {
        residual(map, theirs + ".0", level + ".resnets." + number);
        if (attention) {
            map.rule(theirs + ".1.*", level + ".attentions." + number + ".*");
        }
    }

    private static void residual(NameMap.Builder map, String theirs, String ours) {
        map.rule(theirs + ".in_layers.0.*", ours + ".norm1.*")
                .rule(theirs + ".in_layers.2.*", ours + ".conv1.*")
                .rule(theirs + ".emb_layers.1.*", ours + ".time_emb_proj.*")
                .rule(theirs + ".out_layers.0.*", ours + ".norm2.*")
                .rule(theirs + ".out_layers.3.*", ours + ".conv2.*")
                .rule(theirs + ".skip_connection.*", ours + ".conv_shortcut.*");
    }

    /**
     * The autoencoders of CompVis' code, for {@code AutoencoderKl} and {@code VqAutoencoder} of
     * {@code org.slotwise.autoencoder}: SlotDiffusion's VQ-VAE, and Stable Diffusion's in a single
     * file, there {@link StateDict#under under} "first_stage_model.". Its attention is written as
     * convolutions of 1 x 1.
     *
     * @param levels how many levels it has
     * @return the map
     * @throws IllegalArgumentException if there is no level
     */
    public static NameMap compVisAutoencoder(int levels) {
        Limits.count(WHO, "levels", levels, 1, 16);
        NameMap.Builder map = NameMap.builder();
        String down = "encoder.down_blocks.*";
        map.rule("encoder.down.*.block.*.nin_shortcut.*", down + ".resnets.*.conv_shortcut.*")
                .rule("encoder.down.*.block.*", down + ".resnets.*")
                .rule("encoder.down.*.downsample.*", down + ".downsamplers.0.*");
        for (int i = 0; i < levels; i++) {
            String theirs = "decoder.up." + i;
            String ours = "decoder.up_blocks." + (levels - 1 - i);
            map.rule(theirs + ".block.*.nin_shortcut.*", ours + ".resnets.*.conv_shortcut.*")
                    .rule(theirs + ".block.*", ours + ".resnets.*")
                    .rule(theirs + ".upsample.*", ours + ".upsamplers.0.*");
        }
        for (String part : new String[] {"encoder", "decoder"}) {
            String mid = part + ".mid.";
            String attention = part + ".mid_block.attentions.0.";
            map.rule(mid + "block_1.*", part + ".mid_block.resnets.0.*")
                    .rule(mid + "block_2.*", part + ".mid_block.resnets.1.*")
                    .rule(mid + "attn_1.norm.*", attention + "group_norm.*");
            for (String one : new String[] {"q", "k", "v"}) {
                pointwise(map, mid + "attn_1." + one, attention + "to_" + one);
            }
            pointwise(map, mid + "attn_1.proj_out", attention + "to_out.0");
            map.rule(part + ".norm_out.*", part + ".conv_norm_out.*")
                    .rule(part + ".conv_in.*", part + ".conv_in.*")
                    .rule(part + ".conv_out.*", part + ".conv_out.*");
        }
        return map.rule("quant_conv.*", "quant_conv.*")
                .rule("post_quant_conv.*", "post_quant_conv.*")
                .rule("quantize.*", "quantize.*")
                .build();
    }

    private static void pointwise(NameMap.Builder map, String theirs, String ours) {
        map.rule(theirs + ".*", ours + ".*", Conversion.pointwise());
    }

    /**
     * Latent Slot Diffusion's slot attention, {@code MultiHeadSTEVESA}, part by part.
     *
     * <ul>
     *   <li>encoder: what {@code SlotAttentionEncoder} has after its backbone, a {@code
     *       UNetEncoder}: positions, norm and perceptron. The backbone is in another file.
     *   <li>conditioning: {@code RandomConditioning}, or {@code LearntConditioning} where starts
     *       are learnt.
     *   <li>grouping: {@code SlotAttention} with an eps of 1e-6, as many heads, and a {@code
     *       FeedForward}.
     *   <li>slots: what comes after it, {@code out_layer_norm} and {@code out_linear}.
     * </ul>
     *
     * @param heads how many heads it has: of two or more, queries are scaled by the size of a slot,
     *     not of a head, and are converted
     * @param learnt whether starts are learnt, {@code learnable_slot_init}
     * @return the map
     * @throws IllegalArgumentException if there is no head
     */
    public static NameMap latentSlotDiffusionSlots(int heads, boolean learnt) {
        Check.atLeast(WHO, "heads", heads, 1);
        Conversion queries =
                heads == 1 ? Conversion.none() : new ScaleConversion(1 / Math.sqrt(heads));
        return NameMap.builder()
                .rule("slot_mu", learnt ? "conditioning.slots" : "conditioning.slots_mu")
                .rule("slot_log_sigma", "conditioning.slots_logsigma")
                .drop("pos.pe")
                .rule(
                        "pos.projection.*",
                        "encoder.positional_embedding.dense.*",
                        Conversion.pointwise())
                .rule("in_layer_norm.*", "encoder.norm.*")
                .rule("in_mlp.*", "encoder.mlp.*")
                .rule("norm_inputs.*", "grouping.norm_input.*")
                .rule("norm_slots.*", "grouping.norm_slots.*")
                .rule("norm_mlp.*", "grouping.ff_mlp.module.0.*")
                .rule("mlp.0.*", "grouping.ff_mlp.module.1.*")
                .rule("mlp.2.*", "grouping.ff_mlp.module.3.*")
                .rule("project_q.weight", "grouping.to_q.weight", queries)
                .rule("project_k.weight", "grouping.to_k.weight")
                .rule("project_v.weight", "grouping.to_v.weight")
                .rule("gru.*", "grouping.gru.*")
                .rule("out_layer_norm.*", "slots.out_layer_norm.*")
                .rule("out_linear.*", "slots.out_linear.*")
                .build();
    }

    /**
     * Encoder and slot attention of ris04hit's solution of COL775, part by part; its U-Net's names
     * are those of {@code BranchNormUNet}.
     *
     * <ul>
     *   <li>encoder: {@code SlotAttentionEncoder} with the backbone {@code InstanceNormEncoder}.
     *   <li>conditioning: {@code LearntConditioning}.
     *   <li>grouping: {@code SlotAttention}, with a feed-forward that is a {@code LayerBlock}: a
     *       {@code Perceptron} on slots that are not normalised, added to them.
     * </ul>
     *
     * @return the map
     */
    public static NameMap col775() {
        return NameMap.builder()
                .drop("encoder.grid")
                .rule("encoder.cnn.*", "encoder.backbone.cnn.*")
                .rule("encoder.embed.*", "encoder.positional_embedding.dense.*")
                .rule("encoder.layer_norm.*", "encoder.norm.*")
                .rule("encoder.mlp.*", "encoder.mlp.*")
                .rule("slot_attention.slots", "conditioning.slots")
                .rule("slot_attention.layer_norm_inp.*", "grouping.norm_input.*")
                .rule("slot_attention.layer_norm_slot.*", "grouping.norm_slots.*")
                .rule("slot_attention.project_query.*", "grouping.to_q.*")
                .rule("slot_attention.project_key.*", "grouping.to_k.*")
                .rule("slot_attention.project_value.*", "grouping.to_v.*")
                .rule("slot_attention.gru.*", "grouping.gru.*")
                .rule("slot_attention.mlp.*", "grouping.ff_mlp.*")
                .build();
    }
}
