// Package evaluate scores detections: COCO average precision and recall, exactly as pycocotools 2.0.11 computes them
// for boxes, and the non-maximum suppression that comes before; beside them the average precision and the curves of
// the official YOLOv9 program under their own name (YOLO), and confusion matrices (Confuse).
//
// It is pure arithmetic over boxes, scores and class numbers, and knows nothing of pictures, models or files beyond
// COCO's two JSON shapes. Start with COCO; LoadCOCO reads what it needs from JSON.
//
// Legend: T 10 IoU thresholds, R 101 recall points, K classes, A 4 area ranges, M 3 limits of detections.
package evaluate
