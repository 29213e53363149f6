package org.slotwise.model;

import org.slotwise.internal.Check;

/** Which kinds of parts go together. */
final class Agreement {

    private static final String WHO = "ObjectDiscoveryConfiguration: ";

    private Agreement() {}

    /** Requires the parts of a configuration to fit each other, as far as their kinds tell. */
    static void check(
            EncoderConfiguration encoder,
            ConditioningConfiguration conditioning,
            GroupingConfiguration grouping,
            DecoderConfiguration decoder) {
        String groupingName = grouping.getClass().getSimpleName();
        boolean positioned = grouping instanceof GroupingConfiguration.InvariantSlotAttention;
        boolean none = conditioning instanceof ConditioningConfiguration.None;
        boolean either = grouping instanceof GroupingConfiguration.SlotMixture;
        boolean byItself =
                grouping instanceof GroupingConfiguration.StickBreaking
                        || grouping instanceof GroupingConfiguration.KMeans
                        || grouping instanceof GroupingConfiguration.SlotMlp
                        || grouping instanceof GroupingConfiguration.SteveSlotAttention;
        Check.option(
                either || byItself == none,
                WHO
                        + "conditioning must "
                        + (byItself ? "" : "not ")
                        + "be None for "
                        + groupingName
                        + ", got "
                        + conditioning.getClass().getSimpleName());
        Check.option(
                positioned
                        || !(conditioning instanceof ConditioningConfiguration.Grid
                                || conditioning instanceof ConditioningConfiguration.Colours),
                WHO
                        + "grouping must be InvariantSlotAttention for "
                        + conditioning.getClass().getSimpleName()
                        + ", got "
                        + groupingName);
        Check.option(
                positioned || !(decoder instanceof DecoderConfiguration.ShapeAndColour),
                WHO
                        + "grouping must be InvariantSlotAttention for the decoder ShapeAndColour,"
                        + " got "
                        + groupingName);
        Check.option(
                !(decoder instanceof DecoderConfiguration.Appearance
                        && grouping instanceof GroupingConfiguration.SlotMlp),
                WHO + "grouping must give attributions for the decoder Appearance, got SlotMlp");
        Check.option(
                !makesFeatures(decoder) || !isLearnt(encoder),
                WHO
                        + "decoder must make images where the encoder is learnt (features that are"
                        + " made again would shrink to one), got "
                        + decoder.getClass().getSimpleName());
    }

    static boolean makesFeatures(DecoderConfiguration decoder) {
        return decoder instanceof DecoderConfiguration.Features
                || decoder instanceof DecoderConfiguration.Autoregressive
                || decoder instanceof DecoderConfiguration.Appearance;
    }

    private static boolean isLearnt(EncoderConfiguration encoder) {
        return !(encoder instanceof EncoderConfiguration.Pretrained
                || encoder instanceof EncoderConfiguration.Pixels);
    }
}
