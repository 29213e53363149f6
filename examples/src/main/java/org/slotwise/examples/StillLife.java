package org.slotwise.examples;

import ai.djl.modality.cv.ImageFactory;
import java.awt.Color;
import java.awt.GradientPaint;
import java.awt.Graphics2D;
import java.awt.Paint;
import java.awt.RadialGradientPaint;
import java.awt.RenderingHints;
import java.awt.Shape;
import java.awt.geom.Area;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Path2D;
import java.awt.geom.Rectangle2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.util.LinkedHashMap;
import java.util.Map;

/** A drawn picture: a vase, a pear, an orange and a cup on a table before a wall. */
final class StillLife {

    static final int WIDTH = 480;
    static final int HEIGHT = 320;

    private static final int TABLE_EDGE = 206;
    private static final Color LIGHT = new Color(255, 255, 255, 90);
    private static final Color NO_LIGHT = new Color(255, 255, 255, 0);
    private static final Color SHADE = new Color(0, 0, 0, 60);
    private static final Color NO_SHADE = new Color(0, 0, 0, 0);

    private StillLife() {}

    /**
     * Draws the picture. It is the same every time.
     *
     * @return the picture
     */
    static Picture draw() {
        BufferedImage image = new BufferedImage(WIDTH, HEIGHT, BufferedImage.TYPE_INT_RGB);
        Graphics2D g = image.createGraphics();
        g.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
        g.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
        Map<String, Shape> shapes = shapes();
        fill(g, shapes.get("wall"), 0xF5ECDD, 0xE6D8C3);
        fill(g, shapes.get("table"), 0x5B4136, 0x49332B);
        shadow(g, 104, 262, 74);
        shadow(g, 208, 284, 66);
        shadow(g, 308, 274, 66);
        shadow(g, 408, 258, 66);
        solid(g, shapes.get("vase"), 0x2F6FB7);
        solid(g, shapes.get("pear"), 0x6FA53A);
        solid(g, shapes.get("orange"), 0xF08A1D);
        solid(g, shapes.get("cup"), 0xCF4F86);
        g.dispose();
        return new Picture(ImageFactory.getInstance().fromImage(image), WIDTH, HEIGHT);
    }

    /**
     * What is in the picture, from back to front.
     *
     * @return outlines by name; later ones hide earlier ones
     */
    static Map<String, Shape> shapes() {
        Map<String, Shape> shapes = new LinkedHashMap<>();
        shapes.put("wall", new Rectangle2D.Double(0, 0, WIDTH, TABLE_EDGE));
        shapes.put("table", new Rectangle2D.Double(0, TABLE_EDGE, WIDTH, HEIGHT - TABLE_EDGE));
        shapes.put("vase", vase());
        shapes.put("pear", pear());
        shapes.put("orange", new Ellipse2D.Double(258, 182, 96, 94));
        shapes.put("cup", cup());
        return shapes;
    }

    private static Shape vase() {
        Path2D half = new Path2D.Double();
        half.moveTo(82, 62);
        half.lineTo(122, 62);
        half.curveTo(118, 84, 116, 96, 120, 110);
        half.curveTo(154, 134, 162, 186, 138, 230);
        half.curveTo(132, 242, 130, 250, 132, 260);
        half.quadTo(102, 268, 72, 260);
        half.curveTo(74, 250, 72, 242, 66, 230);
        half.curveTo(42, 186, 50, 134, 84, 110);
        half.curveTo(88, 96, 86, 84, 82, 62);
        half.closePath();
        return half;
    }

    private static Shape pear() {
        Path2D pear = new Path2D.Double();
        pear.moveTo(206, 162);
        pear.curveTo(226, 160, 228, 186, 232, 204);
        pear.curveTo(246, 216, 256, 234, 254, 252);
        pear.curveTo(250, 280, 228, 288, 206, 288);
        pear.curveTo(184, 288, 162, 280, 158, 252);
        pear.curveTo(156, 234, 166, 216, 180, 204);
        pear.curveTo(184, 186, 186, 160, 206, 162);
        pear.closePath();
        return pear;
    }

    private static Shape cup() {
        Area cup = new Area(new RoundRectangle2D.Double(366, 170, 78, 90, 26, 26));
        Area handle = new Area(new Ellipse2D.Double(424, 182, 44, 54));
        handle.subtract(new Area(new Ellipse2D.Double(436, 194, 20, 30)));
        cup.add(handle);
        cup.add(new Area(new Rectangle2D.Double(366, 170, 78, 30)));
        return cup;
    }

    private static void fill(Graphics2D g, Shape shape, int top, int bottom) {
        Rectangle2D box = shape.getBounds2D();
        Paint paint =
                new GradientPaint(
                        0,
                        (float) box.getMinY(),
                        new Color(top),
                        0,
                        (float) box.getMaxY(),
                        new Color(bottom));
        g.setPaint(paint);
        g.fill(shape);
    }

    /** Light comes from the upper left. */
    private static void solid(Graphics2D g, Shape shape, int color) {
        Rectangle2D box = shape.getBounds2D();
        float x = (float) (box.getX() + 0.36 * box.getWidth());
        float y = (float) (box.getY() + 0.34 * box.getHeight());
        float size = (float) Math.max(box.getWidth(), box.getHeight());
        g.setColor(new Color(color));
        g.fill(shape);
        radial(g, shape, x, y, 0.95f * size, new float[] {0.3f, 1}, NO_SHADE, SHADE);
        radial(g, shape, x, y, 0.34f * size, new float[] {0, 1}, LIGHT, NO_LIGHT);
    }

    private static void shadow(Graphics2D g, float x, float y, float radius) {
        Shape shape = new Ellipse2D.Double(x - radius, y - 0.2 * radius, 2 * radius, 0.4 * radius);
        Graphics2D flat = (Graphics2D) g.create();
        flat.translate(x, y);
        flat.scale(1, 0.2);
        Shape round = new Ellipse2D.Double(-radius, -radius, 2 * radius, 2 * radius);
        radial(flat, round, 0, 0, radius, new float[] {0.4f, 1}, new Color(0, 0, 0, 90), NO_SHADE);
        flat.dispose();
    }

    private static void radial(
            Graphics2D g,
            Shape shape,
            float x,
            float y,
            float radius,
            float[] at,
            Color from,
            Color to) {
        g.setPaint(new RadialGradientPaint(x, y, radius, at, new Color[] {from, to}));
        g.fill(shape);
    }
}
